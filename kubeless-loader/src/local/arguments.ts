import { parseArgs } from "node:util";
import { StartError } from "../errors.ts";

export const USAGE = `Usage: kubeless-loader [run FILE [options] | run --manifest FILE [options] | conform [options] -- COMMAND]

  kubeless-loader           serve the function that the environment names, as in a container
  kubeless-loader run FILE  serve the function in FILE: install its dependencies, reload it when it changes
  kubeless-loader conform   test your own worker against the rules of the wire; see conform --help

Options of run:
  --handler NAME   the handler in the file (default: FUNC_HANDLER, else the only one in the file)
  --port N         the port to listen on (default: FUNC_PORT, else 8080)
  --runtime ID     the language, if the file's suffix does not determine it
  --manifest FILE  your own runtime, by its runtime.json; a server or a command needs no function file
  --env K=V        a variable for the function; may be repeated
  --no-watch       do not reload when files change
  --help           this text

The FUNC_* variables of a container work here, too.
`;

export interface RunOptions {
	readonly file: string | undefined;
	readonly manifest: string | undefined;
	readonly handler: string | undefined;
	readonly port: string | undefined;
	readonly runtime: string | undefined;
	readonly env: Readonly<Record<string, string>>;
	readonly watch: boolean;
}

/**
 * Returns undefined for --help.
 * @throws {StartError} USAGE with one sentence about the mistake
 */
export function readArguments(args: string[]): RunOptions | undefined {
	try {
		const { values, positionals } = parseArgs({
			args,
			allowPositionals: true,
			options: {
				handler: { type: "string" },
				port: { type: "string" },
				runtime: { type: "string" },
				manifest: { type: "string" },
				env: { type: "string", multiple: true },
				"no-watch": { type: "boolean" },
				help: { type: "boolean", short: "h" },
			},
		});
		if (values.help) return undefined;
		const [file, ...more] = positionals;
		if (file === undefined && values.manifest === undefined)
			throw new Error("The function's file is missing: give it as kubeless-loader run FILE.");
		if (more.length > 0)
			throw new Error(`Only one file can be served at a time, but ${positionals.length} were given: ${positionals.join(", ")}.`);
		const env: Record<string, string> = {};
		for (const pair of values.env ?? []) {
			const equals = pair.indexOf("=");
			if (equals < 1) throw new Error(`--env ${pair} is not a name and a value: write --env NAME=VALUE.`);
			env[pair.slice(0, equals)] = pair.slice(equals + 1);
		}
		if (values.port !== undefined && !(/^\d+$/.test(values.port) && Number(values.port) <= 65535))
			throw new Error(`--port ${values.port} is not a port: give a number from 0 to 65535.`);
		const { handler, port, runtime, manifest } = values;
		return { file, manifest, handler, port, runtime, env, watch: !values["no-watch"] };
	} catch (cause) {
		throw new StartError("USAGE", `${(cause as Error).message}\nSee kubeless-loader --help.`);
	}
}
