/** Types of processors and services: read once per visit. */

import { create } from "zustand";
import { flowsApi } from "../api/flows";
import type { TypeDescription } from "../api/flows";
import { secretsOf } from "../document/schema";

interface CatalogueState {
  processors: Record<string, TypeDescription>;
  services: Record<string, TypeDescription>;
}

export const useCatalogue = create<CatalogueState>()(() => ({ processors: {}, services: {} }));

export async function loadCatalogue(): Promise<void> {
  const { processors, services } = await flowsApi.catalogue();
  const named = (types: TypeDescription[]) => Object.fromEntries(types.map((one) => [one.type, one]));
  useCatalogue.setState({ processors: named(processors), services: named(services) });
}

export const facts = (type: string) => useCatalogue.getState().processors[type];

export function secretProperties(type: string): string[] {
  const { processors, services } = useCatalogue.getState();
  return secretsOf((processors[type] ?? services[type])?.schema);
}
