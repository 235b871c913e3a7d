// The command: its groups, and the report of an error.
import { Command, CommanderError } from "commander";
import { addAbout } from "./about.ts";
import { addAutoscale } from "./autoscale.ts";
import { addCompletion, commandOf } from "./completion.ts";
import { CliError, FAILED, sentenceOf, USAGE } from "./errors.ts";
import { addCall } from "./function/call.ts";
import { addDeploy } from "./function/deploy.ts";
import { addHistory } from "./function/history.ts";
import { addLogs } from "./function/logs.ts";
import { addShow } from "./function/show.ts";
import { addTop } from "./function/top.ts";
import { addInstall } from "./install.ts";
import { addPublish } from "./publish.ts";
import { addRun } from "./run.ts";
import type { Shell } from "./session.ts";
import { addTriggers } from "./trigger/commands.ts";

/** Returns the command with all its groups. */
export function kubeless(shell: Shell, version: string): Command {
	const program = new Command("kubeless")
		.description("Functions on Kubernetes")
		.option("--kubeconfig <file>", "kubeconfig (default: KUBECONFIG, else ~/.kube/config)")
		.option("--context <name>", "context of the kubeconfig")
		.version(version, "--version", "print the version of this command")
		.configureHelp({ showGlobalOptions: true })
		.showSuggestionAfterError()
		.configureOutput({
			writeOut: (text) => void shell.stdout.write(text),
			writeErr: (text) => void shell.stderr.write(text),
			outputError: () => {}, // run() prints it
		})
		.exitOverride();
	const functions = program.command("function").description("deploy, call and watch functions");
	for (const add of [addDeploy, addCall, addShow, addLogs, addTop, addHistory]) add(functions, shell);
	addTriggers(program, shell);
	addAutoscale(program, shell);
	addRun(program, shell);
	addPublish(program, shell);
	addInstall(program, shell);
	addAbout(program, shell, version);
	addCompletion(program, shell);
	return program;
}

/** Runs a command line and returns the exit code. @param args without the program's own name */
export async function run(args: readonly string[], shell: Shell, version: string): Promise<number> {
	const program = kubeless(shell, version);
	try {
		await program.parseAsync(args, { from: "user" });
		return 0;
	} catch (error) {
		return report(error, shell, program, args);
	}
}

function report(error: unknown, shell: Shell, program: Command, args: readonly string[]): number {
	if (error instanceof CommanderError) {
		if (error.exitCode === 0) return 0; // --help, --version
		if (error.code === "commander.help") return USAGE; // the help was printed because a sub-command is missing
		shell.stderr.write(`${sentence(error.message.replace(/^error: /, ""))} See ${pathOf(commandOf(program, args))} --help.\n`);
		return USAGE;
	}
	shell.stderr.write(`${error instanceof CliError ? error.message : sentenceOf(error, shell.server)}\n`);
	return error instanceof CliError ? error.exitCode : FAILED;
}

const pathOf = (command: Command): string => (command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name());
/** Returns the parser's message as a sentence. Suggestions come as a second line in parentheses. */
const sentence = (text: string): string => {
	const [first = "", suggestion = ""] = text.split("\n");
	return `${first.charAt(0).toUpperCase()}${first.slice(1).replace(/\.?$/, ".")} ${suggestion.replace(/^\((.*)\)$/, "$1")}`.trim();
};
