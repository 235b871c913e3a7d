import { serve } from "./serve.mjs";

// Keeps every rule.
serve();
