import assert from "node:assert/strict";
import test from "node:test";
import { type Config, readConfig } from "../../kubeless-loader/src/config.ts";
import { StartError } from "../../kubeless-loader/src/errors.ts";

const MB = 1024 * 1024;

const READ: { env: Record<string, string>; expected: Partial<Config> }[] = [
	{
		env: {},
		expected: {
			installVolume: "/kubeless",
			modName: undefined,
			handler: undefined,
			port: 8080,
			timeoutText: "180",
			timeoutMs: 180_000,
			memoryLimit: "0",
			bodyLimit: 100 * MB,
			workers: 1,
			concurrency: undefined,
			shutdownTimeoutMs: 10_000,
			accessLog: true,
			logLevel: "info",
			watch: "auto",
		},
	},
	{ env: { MOD_NAME: "hello", FUNC_HANDLER: "greet" }, expected: { modName: "hello", handler: "greet" } },
	{ env: { MOD_NAME: "", FUNC_HANDLER: " " }, expected: { modName: undefined, handler: undefined } },
	{ env: { FUNC_TIMEOUT: "0.5" }, expected: { timeoutMs: 500, timeoutText: "0.5" } },
	{ env: { FUNC_TIMEOUT: " 60 " }, expected: { timeoutMs: 60_000, timeoutText: "60" } },
	{ env: { FUNC_PORT: "0" }, expected: { port: 0 } },
	{ env: { REQ_MB_LIMIT: "1.5" }, expected: { bodyLimit: 1.5 * MB } },
	{ env: { FUNC_WORKERS: "auto" }, expected: { workers: 0 } },
	{ env: { FUNC_CONCURRENCY: "7", FUNC_QUEUE_LENGTH: "0" }, expected: { concurrency: 7, queueLength: 0 } },
	{ env: { FUNC_ACCESS_LOG: "False", FUNC_LOG_LEVEL: "WARN" }, expected: { accessLog: false, logLevel: "warn" } },
	{ env: { FUNC_MEMORY_LIMIT: "128Mi", FUNC_RUNTIME: "python3.13" }, expected: { memoryLimit: "128Mi", runtime: "python3.13" } },
	{ env: { KUBELESS_INSTALL_VOLUME: "/a/../b/" }, expected: { installVolume: "/b" } },
];

for (const { env, expected } of READ) {
	test(`${JSON.stringify(env)} is read`, () => {
		const config = readConfig(env);
		for (const [name, value] of Object.entries(expected)) assert.equal(config[name as keyof Config], value, name);
	});
}

for (const [name, value] of [
	["FUNC_TIMEOUT", "3m"],
	["FUNC_TIMEOUT", "0"],
	["FUNC_TIMEOUT", "-1"],
	["FUNC_TIMEOUT", "1e3"],
	["FUNC_TIMEOUT", "3000000"],
	["FUNC_PORT", "65536"],
	["FUNC_PORT", "80a"],
	["FUNC_PORT", "8080.5"],
	["REQ_MB_LIMIT", "0"],
	["REQ_MB_LIMIT", "1025"],
	["FUNC_WORKERS", "0"],
	["FUNC_CONCURRENCY", "0"],
	["FUNC_QUEUE_LENGTH", "-1"],
	["SHUTDOWN_TIMEOUT", "ten"],
	["FUNC_ACCESS_LOG", "maybe"],
	["FUNC_LOG_LEVEL", "loud"],
	["MOD_NAME", "../x"],
	["MOD_NAME", ".."],
] as const) {
	test(`${name}=${value} is reported with its name and a hint`, () => {
		assert.throws(
			() => readConfig({ [name]: value }),
			(error) => error instanceof StartError && error.code === "CONFIG_INVALID" && error.message.startsWith(`${name} is "${value}": give `),
		);
	});
}

test("all mistakes are reported together, one per line", () => {
	assert.throws(
		() => readConfig({ FUNC_TIMEOUT: "x", FUNC_PORT: "y", REQ_MB_LIMIT: "z" }),
		(error) => (error as Error).message.split("\n").length === 3,
	);
});

test("the settings and the environment in them are frozen, and later changes do not affect them", () => {
	const env: Record<string, string> = { FUNC_PORT: "1" };
	const config = readConfig(env);
	env["FUNC_PORT"] = "2";
	assert.ok(Object.isFrozen(config) && Object.isFrozen(config.env));
	assert.equal(config.env["FUNC_PORT"], "1");
});
