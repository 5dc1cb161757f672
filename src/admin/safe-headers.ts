/** Of every answer: browsers take it for what it is said to be, give it to no page of another site, and keep nothing of it. */
export const SAFE_HEADERS = {
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
} as const;
