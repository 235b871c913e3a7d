// npm run test:faults: test/chaos as a command, whose arguments select languages and seeds.
import { prepare } from "../../kubeless-loader/checkout.mjs";
import { beginRun } from "./run.mjs";

prepare();
beginRun();
await import("../chaos/main.ts");
