import { basename } from "node:path";

export const esm = (_event, context) => `${basename(import.meta.url)} by ${context["function-name"]}`;
