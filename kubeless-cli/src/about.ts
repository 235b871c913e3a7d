// kubeless get-server-config, version and topic.
import type { Command } from "commander";
import type { KubeObject } from "../../kubeless-controller/src/api/types.ts";
import { readConfig } from "./config.ts";
import { CliError, sentenceOf } from "./errors.ts";
import { note, print, printObject } from "./output.ts";
import { printed, Session, type Shared, type Shell } from "./session.ts";

export function addAbout(program: Command, shell: Shell, version: string): void {
	printed(program.command("get-server-config"), ["json", "yaml"])
		.description("show the cluster's settings and runtimes")
		.action(async (_, command: Command) => {
			const flags = command.optsWithGlobals<Shared>();
			const { config, found, data, namespace, name } = await readConfig(new Session(shell, flags));
			if (flags.output) return printObject(shell, config, flags.output);
			if (!found) note(shell, `The ConfigMap ${namespace}/${name} cannot be read. These are the defaults:`);
			print(shell, `Supported runtimes are: ${config.runtimes.map((runtime) => runtime.name).join(", ")}`);
			for (const [key, value] of Object.entries(data)) if (key !== "runtime-images") print(shell, `${key}: ${value}`);
		});
	program
		.command("version")
		.description("show the version of this command and of the controller")
		.option("--client", "only of this command")
		.action(async ({ client }: { client?: boolean }, command: Command) => {
			print(shell, `Kubeless version: v${version}`);
			if (client) return;
			try {
				const { api } = new Session(shell, command.optsWithGlobals<Shared>());
				const namespace = shell.env["KUBELESS_NAMESPACE"] || "kubeless";
				const controller = await api.find(`/apis/apps/v1/namespaces/${namespace}/deployments/kubeless-controller`);
				print(shell, controller ? `Controller: ${imageOf(controller)}` : `Controller: not installed in namespace ${namespace}`);
			} catch (error) {
				note(shell, `Controller: unknown. ${sentenceOf(error, shell.server)}`);
			}
		});
	program
		.command("topic [words...]", { hidden: true })
		.allowUnknownOption()
		.action(() => {
			throw new CliError(
				"Topics are made and listed by the tools of Kafka 4 (kafka-topics.sh); send a message with kubeless kafka publish.",
			);
		});
}

const imageOf = ({ spec }: KubeObject): string =>
	(spec as { template: { spec: { containers: { image: string }[] } } }).template.spec.containers[0]?.image ?? "";
