// npm test: the fast tests. npm run test:all: every stage. Arguments name test files, folders or
// patterns to run instead.
import { parseArgs } from "node:util";
import { prepare } from "../../kubeless-loader/checkout.mjs";
import { failures, runTests, watchTests } from "./node-test.mjs";
import { beginRun } from "./run.mjs";
import { FAST, runStage, STAGES } from "./stages.mjs";
import { languages, provide, TOOLS } from "./toolchains.mjs";

const USAGE = `Usage: npm test [-- PATH …]          the fast tests, or the test files, folders and patterns given
       npm run test:watch [-- PATH …]  the same, again after each change
       npm run test:all                every stage: ${STAGES.map(({ name }) => name).join(", ")}
       npm run test:all -- --stage A,B only these stages
`;

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { all: { type: "boolean" }, stage: { type: "string" }, watch: { type: "boolean" }, help: { type: "boolean", short: "h" } },
});
if (values.help) process.stdout.write(USAGE);
else process.exitCode = main();

function main() {
	prepare();
	beginRun();
	const fast = STAGES.find(({ name }) => name === FAST);
	const paths = positionals.length > 0 ? positionals : fast.paths;
	if (values.watch) return watchTests(paths);
	for (const needed of [...languages(), ...TOOLS]) provide(needed);
	if (positionals.length > 0) return runTests("paths", paths).status;
	return values.all || values.stage ? runStages(chosen(values.stage)) : runStage(fast).status;
}

function chosen(list) {
	if (list === undefined) return STAGES;
	const names = list.split(",");
	const unknown = names.find((name) => !STAGES.some((stage) => stage.name === name));
	if (unknown !== undefined) {
		console.error(`Unknown stage "${unknown}". The stages are ${STAGES.map(({ name }) => name).join(", ")}.`);
		process.exit(2);
	}
	return STAGES.filter(({ name }) => names.includes(name));
}

/**
 * Runs all stages, also after one failed, and ends with the failed tests, a table and the totals.
 */
function runStages(stages) {
	const results = stages.map((stage) => {
		console.log(`\n=== ${stage.name}: ${stage.title}`);
		const start = performance.now();
		const result = runStage(stage);
		const seconds = (performance.now() - start) / 1000;
		console.log(`=== ${stage.name}: ${result.status === 0 ? "passed" : "FAILED"} in ${seconds.toFixed(0)} s`);
		return { stage: stage.name, seconds: Math.round(seconds), ...result };
	});
	console.log("");
	for (const { stage } of results) for (const failure of failures(stage)) console.log(failure);
	console.table(results);
	const sum = (field) => results.reduce((total, result) => total + result[field], 0);
	console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
	return results.every(({ status }) => status === 0) ? 0 : 1;
}
