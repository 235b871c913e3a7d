// How the brokers are reached: the variables that Kubeless 1.0 has, and SCRAM.
import { readFileSync } from "node:fs";
import type { BaseOptions } from "@platformatic/kafka";
import { SettingsError } from "../settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;

/** @throws {SettingsError} if a variable has a wrong value or names a file that cannot be read */
export function kafkaOptions(env: Environment, clientId: string): BaseOptions {
	const brokers = (env["KAFKA_BROKERS"] || "kafka.kubeless:9092").split(",").map((broker) => broker.trim());
	const wrong = brokers.find((broker) => !/^[^\s:]+:\d+$/.test(broker));
	if (wrong !== undefined) throw new SettingsError(`KAFKA_BROKERS has "${wrong}". Give HOST:PORT, or a list of these with commas.`);
	const on = (name: string): boolean => /^(true|1|yes)$/i.test(env[name] ?? "");
	const options: BaseOptions = { clientId, bootstrapBrokers: brokers, retries: 0, connectTimeout: 10_000, autocreateTopics: false };
	if (on("KAFKA_ENABLE_TLS")) {
		const [ca, cert, key] = [file(env, "KAFKA_CACERTS"), file(env, "KAFKA_CERT"), file(env, "KAFKA_KEY")];
		if ((cert === undefined) !== (key === undefined)) throw new SettingsError("KAFKA_CERT and KAFKA_KEY go together. Set both.");
		options.tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), rejectUnauthorized: !on("KAFKA_INSECURE") };
	}
	if (on("KAFKA_ENABLE_SASL")) {
		const mechanism = MECHANISMS.find((one) => one === (env["KAFKA_SASL_MECHANISM"] || "PLAIN"));
		if (!mechanism)
			throw new SettingsError(`KAFKA_SASL_MECHANISM is "${env["KAFKA_SASL_MECHANISM"]}". Give one of ${MECHANISMS.join(", ")}.`);
		const [username, password] = [env["KAFKA_USERNAME"], env["KAFKA_PASSWORD"]];
		if (!username || !password) throw new SettingsError("KAFKA_ENABLE_SASL needs KAFKA_USERNAME and KAFKA_PASSWORD. Set both.");
		options.sasl = { mechanism, username, password };
	}
	return options;
}

/** A variable that is a path, or the text itself. */
function file(env: Environment, name: string): string | undefined {
	const value = env[name];
	if (!value || value.includes("-----BEGIN")) return value || undefined;
	try {
		return readFileSync(value, "utf8");
	} catch (error) {
		throw new SettingsError(`${name} is "${value}", which cannot be read: ${(error as Error).message}.`);
	}
}
