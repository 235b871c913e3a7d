import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { kafkaOptions } from "../../src/kafka/options.ts";
import { natsOptions } from "../../src/nats/options.ts";
import { readSettings } from "../../src/settings.ts";

const TARGETS = '[{"function":"hello","url":"http://hello:8080","group":"g","timeout":180}]';
const REQUIRED = { TRIGGER_TOPIC: "t", TRIGGER_TARGETS: TARGETS };

describe("the settings", () => {
	test("have defaults", () => {
		const { mode, concurrency, start, port, deadLetter } = readSettings("kafka", REQUIRED);
		assert.deepEqual([mode, concurrency, start, port, deadLetter], ["at-most-once", 10, "latest", 8080, ""]);
	});

	const mistakes: [Record<string, string>, RegExp][] = [
		[{ TRIGGER_TOPIC: "" }, /^TRIGGER_TOPIC is missing\. Set it\.$/],
		[{ TRIGGER_TARGETS: "hello" }, /^TRIGGER_TARGETS is not a list such as/],
		[{ TRIGGER_TARGETS: "[]" }, /^TRIGGER_TARGETS is not a list such as/],
		[{ TRIGGER_TARGETS: '[{"function":"f","url":"f:8080","group":"g"}]' }, /^TRIGGER_TARGETS is not a list such as/],
		[{ TRIGGER_DELIVERY: "twice" }, /^TRIGGER_DELIVERY is "twice"\. Give one of at-most-once, at-least-once\.$/],
		[{ TRIGGER_CONCURRENCY: "0" }, /^TRIGGER_CONCURRENCY is "0"\. Give a whole number from 1 to 10000\.$/],
		[{ TRIGGER_DEAD_LETTER: "t" }, /^TRIGGER_DEAD_LETTER is the topic itself/],
		[{ TRIGGER_REPLY: "t" }, /^TRIGGER_REPLY is the topic itself/],
	];
	for (const [env, message] of mistakes) {
		test(`${JSON.stringify(env)} is refused with a cure`, () => {
			assert.throws(() => readSettings("kafka", { ...REQUIRED, ...env }), { message });
		});
	}

	const brokers: [Record<string, string>, RegExp][] = [
		[{ KAFKA_BROKERS: "kafka" }, /^KAFKA_BROKERS has "kafka"\. Give HOST:PORT/],
		[{ KAFKA_ENABLE_SASL: "true" }, /needs KAFKA_USERNAME and KAFKA_PASSWORD/],
		[{ KAFKA_ENABLE_SASL: "true", KAFKA_SASL_MECHANISM: "OAUTH" }, /^KAFKA_SASL_MECHANISM is "OAUTH"/],
		[{ KAFKA_ENABLE_TLS: "true", KAFKA_CERT: "-----BEGIN CERTIFICATE-----" }, /^KAFKA_CERT and KAFKA_KEY go together/],
		[{ KAFKA_ENABLE_TLS: "true", KAFKA_CACERTS: "/no/such/file" }, /^KAFKA_CACERTS is "\/no\/such\/file", which cannot be read/],
	];
	for (const [env, message] of brokers) {
		test(`${JSON.stringify(env)} is refused with a cure`, () => {
			assert.throws(() => kafkaOptions(env, "id"), { message });
		});
	}

	test("TLS, SASL and NATS credentials reach the clients", () => {
		const sasl = { KAFKA_ENABLE_SASL: "true", KAFKA_USERNAME: "u", KAFKA_PASSWORD: "p", KAFKA_SASL_MECHANISM: "SCRAM-SHA-512" };
		assert.deepEqual(kafkaOptions(sasl, "id").sasl, { mechanism: "SCRAM-SHA-512", username: "u", password: "p" });
		const tls = { KAFKA_ENABLE_TLS: "true", KAFKA_CACERTS: "-----BEGIN CERTIFICATE-----", KAFKA_INSECURE: "true" };
		assert.deepEqual(kafkaOptions(tls, "id").tls, { ca: "-----BEGIN CERTIFICATE-----", rejectUnauthorized: false });
		assert.equal(natsOptions({ NATS_TOKEN: "secret" }, "id").token, "secret");
		assert.throws(() => natsOptions({ NATS_CREDS: "/no/such/file" }, "id"), { message: /^NATS_CREDS is "\/no\/such\/file"/ });
	});

	test("are all described in the README, and no other", () => {
		const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
		const names = (text: string) => [...new Set(text.match(/\b(?:TRIGGER|KAFKA|NATS)_[A-Z_]+\b/g))].sort();
		const source = ["../../src/settings.ts", "../../src/kafka/options.ts", "../../src/nats/options.ts", "../../src/nats/source.ts"]
			.map(read)
			.join();
		assert.deepEqual(names(read("../../README.md")), names(source));
	});
});
