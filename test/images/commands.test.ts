import assert from "node:assert/strict";
import { test } from "node:test";
import { suiteOwner } from "../support/owner.ts";
import { Examples } from "./examples.ts";
import { functionContainer, functionOf, functionPod, initContainers, runtimeOf, sourceOf } from "./function.ts";
import { everyImage } from "./images.ts";
import { mountedConfigMap, openFolder, startPod } from "./pod.ts";

/** The commands in Kubeless 1.0.8's `runtime-images`, which users may have copied. */
const COMMANDS: Readonly<Record<string, string>> = {
	ballerina: "/compile-function.sh $KUBELESS_FUNC_NAME",
	dotnetcore: "/app/compile-function.sh $KUBELESS_INSTALL_VOLUME",
	go: "/compile-function.sh",
	java: "/compile-function.sh",
	nodejs: "/kubeless-npm-install.sh",
	php: "composer install -d $KUBELESS_INSTALL_VOLUME",
	python: "pip install --prefix=$KUBELESS_INSTALL_VOLUME -r $KUBELESS_DEPS_FILE",
	ruby: "bundle install --gemfile=$KUBELESS_DEPS_FILE --path=$KUBELESS_INSTALL_VOLUME",
};

everyImage("Kubeless's own command in our installer image", (version) => {
	const owner = suiteOwner();
	const command = COMMANDS[version.id];
	if (command === undefined) return; // Kubeless has no command for this language

	test(`${version.id}: the function is served after ${command}`, async () => {
		const examples = await Examples.of(owner, version);
		const handler = examples.handler("deps", "deps");
		const spec = functionOf(examples.folder(owner, "deps", handler), handler, runtimeOf(version));
		const own = /kubeless-(install|compile)$/;
		const steps = initContainers(version, spec).map((step) => ({
			...step,
			args: step.args?.map((text) => text.replace(own, command)) ?? [],
		}));
		assert.ok(steps.some(({ args }) => args.some((text) => text.endsWith(command))));
		const pod = await startPod(owner, functionPod(functionContainer(version, handler), steps), {
			configMaps: { source: mountedConfigMap(owner, sourceOf(version, spec)) },
			claims: { function: openFolder(owner) },
		});
		const { status, text } = await pod.ask({ body: "some data" });
		assert.deepEqual([status, text === ""], [200, false], await pod.logs());
	});
});
