// kubeless completion: scripts that call `kubeless __complete WORD …`, which prints the words that
// may follow.
import { Argument, type Command } from "commander";
import { print } from "./output.ts";
import type { Shell } from "./session.ts";

const SCRIPTS = {
	bash: `_kubeless() {
  COMPREPLY=($(compgen -W "$(kubeless __complete "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _kubeless kubeless`,
	zsh: `#compdef kubeless
_kubeless() {
  local -a found
  found=(\${(f)"$(kubeless __complete "\${(@)words[2,CURRENT-1]}" 2>/dev/null)"})
  compadd -a found || _files
}
compdef _kubeless kubeless`,
	fish: `complete -c kubeless -a '(kubeless __complete (commandline -opc)[2..] 2>/dev/null)'`,
};

export function addCompletion(program: Command, shell: Shell): void {
	program
		.command("completion")
		.description("print the completion script of a shell: source <(kubeless completion bash)")
		.addArgument(new Argument("<shell>").choices(Object.keys(SCRIPTS)))
		.action((name: keyof typeof SCRIPTS) => print(shell, SCRIPTS[name]));
	program
		.command("__complete [words...]", { hidden: true })
		.allowUnknownOption()
		.helpOption(false)
		.action((words: string[]) => print(shell, candidates(program, words).join("\n")));
}

/** Returns the sub-command that the words name. */
export function commandOf(program: Command, words: readonly string[]): Command {
	let command = program;
	for (const word of words) command = command.commands.find((one) => one.name() === word || one.aliases().includes(word)) ?? command;
	return command;
}

/** Returns the words that may follow: sub-commands, or the command's options. */
export function candidates(program: Command, words: readonly string[]): string[] {
	const command = commandOf(program, words);
	const help = command.createHelp();
	const names = help.visibleCommands(command).map((one) => one.name());
	const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)].map(({ long, short }) => long ?? short ?? "");
	return names.length > 0 ? names : options;
}
