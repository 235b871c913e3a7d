// What a user types wrong: each mistake ends with one sentence that names the cure, with the exit
// code 2 for the command line and 1 for the cluster, and changes nothing.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { kubeless } from "../../kubeless-cli/test/shell.ts";
import { suiteOwner } from "../support/owner.ts";
import { cluster, describeCluster, eventually, kubectl, list, namespace, standIn, startController } from "./support.ts";

const FILES = {
	"hello.js": "exports.handler = () => 'hello';",
	"other.js": "exports.other = () => 'hello';",
	"hello.txt": "hello",
	"empty.js": "",
	"empty.zip": "",
};
const LONG = "a".repeat(64);
const ONE_LINE = /^\S.*\n$/;

describeCluster("a mistake in a kubeless command", () => {
	const owner = suiteOwner();
	const folder = mkdtempSync(join(tmpdir(), "kubeless-mistakes-"));
	owner.after(() => rmSync(folder, { recursive: true, force: true }));
	for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
	const file = (name: string): string[] => ["-f", join(folder, name)];
	const run = (...args: string[]) => kubeless(["--kubeconfig", cluster.kubeconfig, ...args]);
	let ns: string;

	before(async () => {
		await startController(owner).started();
		ns = await namespace(owner);
		standIn(owner, ns);
		const { code, stderr } = await run("function", "deploy", "hello", ...file("hello.js"), "-n", ns);
		assert.equal(code, 0, stderr);
	});

	const deploy = (...args: string[]): string[] => ["function", "deploy", "x", ...args];
	const good = file("hello.js");
	const kafka = (...args: string[]): string[] => ["trigger", "kafka", "create", "t", "--function-selector", "function=hello", ...args];
	const cron = (...args: string[]): string[] => ["trigger", "cronjob", "create", "t", "--function", "hello", ...args];
	const cases: [what: string, args: string[], code: number, sentence: RegExp][] = [
		["an unknown runtime", deploy(...good, "-r", "cobol85"), 2, /^Invalid runtime: cobol85\. Supported runtimes are: /],
		["an update to an unknown runtime", ["function", "update", "hello", "-r", "cobol85"], 2, /^Invalid runtime: cobol85\. /],
		["no runtime for the suffix", deploy(...file("hello.txt")), 2, /^The runtime is missing\. Give --runtime, one of: /],
		["no handler", deploy(...file("other.js")), 2, /^The handler is missing\. Give --handler other\.FUNCTION/],
		["a handler without a dot", deploy(...good, "--handler", "main"), 2, /has no dot\. Give FILE\.FUNCTION: --handler hello\.main/],
		["a missing file", deploy("-f", "/no/such.js"), 2, /^The file \/no\/such\.js does not exist\./],
		["a folder in place of a file", deploy("-f", folder), 2, /is a folder\. Give a file/],
		["an empty file", deploy(...file("empty.js")), 2, /empty\.js is empty\. Give the function's text/],
		["an empty archive", deploy(...file("empty.zip"), "-r", "nodejs24", "--handler", "a.b"), 2, /empty\.zip is empty\./],
		["empty standard input", deploy("-f", "-", "-r", "nodejs24", "--handler", "a.b"), 2, /^Standard input is empty\./],
		["a URL that does not answer", deploy("-f", "http://127.0.0.1:1/x.js"), 1, /cannot be read: bad port\. Check the URL of --from-file\./],
		["missing dependencies", deploy(...good, "-d", "/no/package.json"), 2, /^The file \/no\/package\.json does not exist\./],
		["a wrong memory", deploy(...good, "--memory", "lots"), 2, /^--memory lots is not a quantity\. Give one such as 128Mi/],
		["a wrong number of CPUs", deploy(...good, "--cpu", "fast"), 2, /^--cpu fast is not a quantity\./],
		["a wrong timeout", deploy(...good, "--timeout", "soon"), 2, /^--timeout soon is not a number of seconds\./],
		["a wrong port", deploy(...good, "--port", "0"), 2, /^--port 0 is not a port\./],
		["a wrong time to wait", deploy(...good, "--wait-timeout", "never"), 2, /^--wait-timeout never is not a number of seconds\./],
		["a variable without a value", deploy(...good, "-e", "LEVEL"), 2, /^--env LEVEL is not a pair\. Write --env NAME=VALUE/],
		["a label with a space", deploy(...good, "-l", "team=a b"), 1, /^The API server refuses this: .*Invalid value: "a b"/],
		["a wrong schedule", deploy(...good, "--schedule", "61 * * * *"), 2, /is not a schedule: MINUTE is "61", and it goes from 0 to 59\./],
		["a name in capitals", ["function", "deploy", "Hello", ...good], 2, /^A Function cannot have the name "Hello"\. Give at most 63/],
		["a long name", ["function", "deploy", LONG, ...good], 2, /^A Function cannot have the name "a+"\./],
		["a namespace that does not exist", deploy(...good, "-n", "nowhere"), 1, /^The namespace "nowhere" does not exist\. Create it with/],
		["a namespace that cannot exist", ["function", "list", "-n", "a/b"], 2, /^"a\/b" is not the name of a Namespace\./],
		["an empty name to delete", ["function", "delete", ""], 2, /^"" is not the name of a Function\./],
		["an empty name to show", ["function", "describe", ""], 2, /^"" is not the name of a Function\./],
		["a path as a name to call", ["function", "call", "../pods"], 2, /^"\.\.\/pods" is not the name of a Function\./],
		["a call's missing file", ["function", "call", "hello", "-d", "@/no/such.json"], 2, /^The file \/no\/such\.json does not exist\./],
		["a call's wrong method", ["function", "call", "hello", "-m", "GE T"], 2, /^--method "GE T" is not an HTTP method\./],
		["a wrong number of lines", ["function", "logs", "hello", "--tail", "few"], 2, /^--tail few is not a number of lines\./],
		[
			"an unknown revision",
			["function", "rollback", "hello", "--to-revision", "x"],
			2,
			/has no revision x\. Give --to-revision one of: 1\./,
		],
		["no earlier revision", ["function", "rollback", "hello"], 1, /has no earlier version\. See kubeless function history hello\./],
		["statistics of a missing function", ["function", "top", "-f", "nope"], 1, /^Function "nope" does not exist/],
		[
			"fewer pods at most than at least",
			["autoscale", "create", "hello", "--min", "3", "--value", "70"],
			2,
			/--max 1 is less than --min 3\./,
		],
		["a wrong target", ["autoscale", "create", "hello", "--value", "much"], 2, /^--value much is not a whole number/],
		["a trigger without a schedule", cron(), 2, /^--schedule is missing\. Give --schedule/],
		["a payload that is not JSON", cron("--schedule", "@daily", "-p", "{a}"), 2, /^The payload is not JSON: \{a\}\. Give a JSON value/],
		["an unknown time zone", cron("--schedule", "@daily", "--time-zone", "Mars/Base"), 2, /^--time-zone Mars\/Base is not a time zone\./],
		[
			"a host with an underscore",
			["trigger", "http", "create", "t", "--function-name", "hello", "--hostname", "my_host"],
			2,
			/^--hostname my_host is not the name of a host\./,
		],
		[
			"a trigger of a missing function",
			["trigger", "http", "create", "t", "--function-name", "nope"],
			1,
			/^Function "nope" does not exist/,
		],
		["a topic with a space", kafka("--trigger-topic", "my orders"), 2, /^--trigger-topic "my orders" is not the name of a topic\./],
		["brokers without a port", kafka("--trigger-topic", "t", "--servers", "kafka"), 2, /^--servers: "kafka" is not HOST:PORT\./],
		["a trigger without a selector", ["trigger", "nats", "create", "t", "--trigger-topic", "t"], 2, /^--function-selector is missing\./],
	];
	for (const [what, args, code, sentence] of cases) {
		test(`such as ${what} ends with exit code ${code} and one sentence`, async () => {
			const ran = await run(...args, ...(args.includes("-n") ? [] : ["-n", ns]));
			assert.match(ran.stderr, sentence);
			assert.match(ran.stderr, ONE_LINE);
			assert.deepEqual([ran.code, ran.stdout], [code, ""]);
		});
	}

	test("changes nothing", async () => {
		const names = async (kind: string) => (await list(kind, ns)).map(({ metadata }) => metadata.name);
		assert.deepEqual(await names("Function"), ["hello"]);
		for (const kind of ["HTTPTrigger", "CronJobTrigger", "KafkaTrigger", "NATSTrigger"]) assert.deepEqual(await names(kind), [], kind);
	});

	/** Writes a kubeconfig for a bearer token. */
	function kubeconfigFor(name: string, token: string): string {
		const config = JSON.parse(readFileSync(cluster.kubeconfig, "utf8"));
		const path = join(folder, name);
		writeFileSync(path, JSON.stringify({ ...config, users: [{ name: config.users[0].name, user: { token } }] }));
		return path;
	}

	test("such as another user's context ends with the missing right or the refused credentials", async () => {
		const { stdout } = await kubectl(["create", "token", "default", "-n", ns]);
		const stranger = kubeconfigFor("stranger", stdout.trim());
		for (const args of [["function", "list"], ["function", "deploy", "y", ...good], ["install"]]) {
			const { code, stderr } = await kubeless([...args, "-n", ns, "--kubeconfig", stranger]);
			assert.match(
				stderr.trimEnd().split("\n").at(-1) ?? "",
				/^You have no right to do this: .* cannot .* Ask for a role, or choose another --namespace\.$/,
			);
			assert.equal(code, 1, args.join(" "));
		}
		const unknown = await kubeless(["function", "list", "--kubeconfig", kubeconfigFor("unknown", "nonsense")]);
		assert.deepEqual(
			[unknown.code, unknown.stderr],
			[1, "The API server refuses the credentials of this context. Log in again, or choose another --context.\n"],
		);
	});

	test("such as a ServiceAccount that does not exist ends the deployment with the ReplicaSet's sentence", async () => {
		const { code, stderr } = await run(...deploy(...good, "--service-account", "absent", "-n", ns));
		assert.equal(code, 1);
		assert.match(stderr, /Function "x" does not get ready\. FailedCreate: .*serviceaccount "absent" not found/);
		await eventually("Function", ns, "x");
	});
});
