import { existsSync, writeFileSync } from "node:fs";
import { faults } from "./faults.mjs";
import { serve } from "./serve.mjs";

// The reference worker with one fault, which its argument names. FAULT_ONCE is the path of a file:
// only the process that creates it has the fault, and its replacements keep every rule.
const [, , fault] = process.argv;
const { FAULT_ONCE } = process.env;
if (!(fault in faults)) throw new Error(`There is no fault "${fault}": give one of ${Object.keys(faults).join(", ")}.`);

const spent = FAULT_ONCE !== undefined && existsSync(FAULT_ONCE);
if (FAULT_ONCE !== undefined) writeFileSync(FAULT_ONCE, "");
serve(spent ? {} : faults[fault]);
