import { existsSync, writeFileSync } from "node:fs";
import { faults } from "./faults.mjs";
import { serve } from "./serve.mjs";

// The reference worker with the fault that its argument names. With FAULT_ONCE=FILE only the process that creates the file is
// faulty: its replacements keep every rule.
const [, , fault] = process.argv;
const { FAULT_ONCE } = process.env;
if (!(fault in faults)) throw new Error(`There is no fault "${fault}": give one of ${Object.keys(faults).join(", ")}.`);

const spent = FAULT_ONCE !== undefined && existsSync(FAULT_ONCE);
if (FAULT_ONCE !== undefined) writeFileSync(FAULT_ONCE, "");
serve(spent ? {} : faults[fault]);
