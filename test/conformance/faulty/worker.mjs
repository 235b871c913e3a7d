import { faults } from "./faults.mjs";
import { serve } from "./serve.mjs";

// The reference worker with one fault, which its only argument names.
const [, , fault] = process.argv;
if (!(fault in faults)) throw new Error(`There is no fault "${fault}": give one of ${Object.keys(faults).join(", ")}.`);
serve(faults[fault]);
