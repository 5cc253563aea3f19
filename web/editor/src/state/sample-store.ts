/** A FlowFile's attributes that expressions are tried with. Kept while the page is open only. */

import { create } from "zustand";

export interface Sample {
  attributes: Record<string, string>;
  name: string;
  from: string;
}

export const useSample = create<{ sample: Sample | undefined }>()(() => ({ sample: undefined }));
