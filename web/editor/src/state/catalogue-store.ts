/** Types of processors and services: read once per visit. */

import { create } from "zustand";
import { flowsApi } from "../api/flows";
import type { TypeDescription } from "../api/flows";
import type { Vocabulary } from "../document/completions";
import { secretsOf } from "../document/schema";

interface CatalogueState {
  processors: Record<string, TypeDescription>;
  services: Record<string, TypeDescription>;
  expressions: Vocabulary;
}

export const useCatalogue = create<CatalogueState>()(() => ({ processors: {}, services: {}, expressions: { filters: [], functions: [], fields: [] } }));

export async function loadCatalogue(): Promise<void> {
  const { processors, services, expressions } = await flowsApi.catalogue();
  const named = (types: TypeDescription[]) => Object.fromEntries(types.map((one) => [one.type, one]));
  useCatalogue.setState({ processors: named(processors), services: named(services), expressions });
}

export const facts = (type: string) => useCatalogue.getState().processors[type];

export function secretProperties(type: string): string[] {
  const { processors, services } = useCatalogue.getState();
  return secretsOf((processors[type] ?? services[type])?.schema);
}
