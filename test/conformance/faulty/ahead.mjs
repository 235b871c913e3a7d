import { inTurn } from "./in-turn.mjs";
import { serve } from "./serve.mjs";

// Keeps every rule, one call at a time.
serve(inTurn());
