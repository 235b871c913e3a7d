import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { startLoader } from "../support/loader.ts";
import { documents, imageTags, KUBERNETES, type Manifest, OBJECTS, object, text } from "./manifests.ts";
import { refused } from "./pod-security.ts";
import { asked } from "./promql.ts";
import { wrongFields, wrongValues } from "./schema.ts";

const deployments = OBJECTS.filter(({ kind }) => kind === "Deployment");
const containers = ({ spec }: Manifest) => [...(spec.template.spec.initContainers ?? []), ...spec.template.spec.containers];
const hello = object("Deployment", "hello");
const changed = (change: (pod: Manifest) => void): Manifest => {
	const copy = structuredClone(hello);
	change(copy);
	return copy;
};

describe("the manifests in examples/kubernetes", () => {
	test("exist", () => {
		assert.ok(OBJECTS.length >= 12, String(OBJECTS.length));
		assert.equal(deployments.length, 2);
	});

	test("have values that are valid for Kubernetes", async () => {
		for (const manifest of OBJECTS) assert.equal(await wrongValues(manifest), undefined, `${manifest.kind} ${manifest.metadata.name}`);
	});

	test("have no unknown field", (t) => {
		assert.equal(wrongFields(t, OBJECTS), "");
	});

	test("fail the check with a mistake in them", async (t) => {
		const container = (pod: Manifest) => pod.spec.template.spec.containers[0];
		const quantity = changed((pod) => Object.assign(container(pod).resources.limits, { memory: "256Megs" }));
		assert.match((await wrongValues(quantity)) ?? "", /limits\/memory must match format "quantity"/);
		const word = changed((pod) => Object.assign(container(pod), { imagePullPolicy: "Sometimes" }));
		assert.match((await wrongValues(word)) ?? "", /imagePullPolicy must be equal to one of/);
		const field = changed((pod) => Object.assign(container(pod), { readynessProbe: {} }));
		assert.match(wrongFields(t, [hello, field]), /readynessProbe"?' does not exist in type 'IContainer'/);
	});

	test("meet the Pod Security Standard restricted, with a read-only root file system", () => {
		for (const deployment of deployments) assert.deepEqual(refused(deployment), []);
		assert.equal(object("Namespace", "functions").metadata.labels?.["pod-security.kubernetes.io/enforce"], "restricted");
	});

	test("fail the check of that standard for each setting that it forbids", () => {
		const mistakes: [string, (pod: Manifest) => void][] = [
			["runAsNonRoot", ({ spec }) => delete spec.template.spec.securityContext.runAsNonRoot],
			["seccompProfile", ({ spec }) => delete spec.template.spec.securityContext.seccompProfile],
			["hostNetwork", ({ spec }) => Object.assign(spec.template.spec, { hostNetwork: true })],
			["hostPath", ({ spec }) => spec.template.spec.volumes.push({ name: "host", hostPath: { path: "/" } })],
			["allowPrivilegeEscalation", ({ spec }) => delete spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation],
			["capabilities", ({ spec }) => delete spec.template.spec.containers[0].securityContext.capabilities],
			["readOnlyRootFilesystem", ({ spec }) => delete spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem],
			["runAsUser", ({ spec }) => Object.assign(spec.template.spec.containers[0].securityContext, { runAsUser: 0 })],
		];
		for (const [what, change] of mistakes) assert.match(refused(changed(change)).join(), new RegExp(what));
	});

	test("name images that bake builds", () => {
		const tags = imageTags();
		for (const { image } of deployments.flatMap(containers)) assert.ok(tags.has(image), `bake builds no ${image}`);
	});

	test("are consistent: selectors, ports, volumes, ConfigMaps, scale targets and namespace", () => {
		for (const { metadata, spec } of deployments) {
			const pod = spec.template;
			for (const [label, value] of Object.entries(spec.selector.matchLabels)) assert.equal(pod.metadata.labels[label], value);
			const volumes = pod.spec.volumes.map(({ name }: { name: string }) => name);
			for (const { volumeMounts } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers])
				for (const { name } of volumeMounts) assert.ok(volumes.includes(name), `${metadata.name} has no volume ${name}`);
			for (const { configMap, persistentVolumeClaim } of pod.spec.volumes) {
				if (configMap) object("ConfigMap", configMap.name);
				if (persistentVolumeClaim) object("PersistentVolumeClaim", persistentVolumeClaim.claimName);
			}
			const service = object("Service", metadata.name);
			assert.deepEqual(service.spec.selector, spec.selector.matchLabels);
			assert.deepEqual(service.metadata.labels, spec.selector.matchLabels, "the ServiceMonitor finds it by its label");
			const ports = pod.spec.containers[0].ports.map(({ name }: { name: string }) => name);
			assert.ok(ports.includes(service.spec.ports[0].targetPort));
		}
		for (const { kind, spec } of OBJECTS) {
			if (kind === "HorizontalPodAutoscaler") object(spec.scaleTargetRef.kind, spec.scaleTargetRef.name);
			if (kind === "PodDisruptionBudget") assert.deepEqual(spec.selector, hello.spec.selector);
		}
		for (const { kind, metadata } of OBJECTS) if (kind !== "Namespace") assert.equal(metadata.namespace, "functions");
	});

	test("have a terminationGracePeriodSeconds that exceeds the time limits of preStop and calls", () => {
		for (const { spec } of deployments) {
			const { terminationGracePeriodSeconds, containers: own } = spec.template.spec;
			const drain = Number(own[0].env.find(({ name }: { name: string }) => name === "SHUTDOWN_TIMEOUT")?.value ?? 10);
			assert.ok(terminationGracePeriodSeconds > own[0].lifecycle.preStop.sleep.seconds + drain);
		}
	});

	test("set variables that the loader or the installer reads", () => {
		const [, table = ""] = text("kubeless-loader/README.md").split("## Environment");
		const loader = [...table.matchAll(/^\| `([A-Z_]+)` *\|/gm)].map(([, name]) => name);
		assert.ok(loader.includes("FUNC_HANDLER"));
		for (const { name, env = [] } of deployments.flatMap(containers)) {
			const known = name === "install" ? ["KUBELESS_INSTALL_VOLUME", "KUBELESS_DEPS_FILE"] : loader;
			for (const variable of env) assert.ok(known.includes(variable.name), `${name} sets ${variable.name}`);
		}
	});

	test("serve the examples of the runtime, and the probes' paths respond", async (t) => {
		const { data } = object("ConfigMap", "hello");
		assert.equal(data["hello.js"], text("runtimes/nodejs/examples/hello.js"));
		for (const [name, content] of Object.entries(object("ConfigMap", "deps").data))
			assert.equal(content, text(`runtimes/nodejs/examples/deps/${name}`));
		const [container] = hello.spec.template.spec.containers;
		const env = Object.fromEntries(container.env.map(({ name, value }: { name: string; value: string }) => [name, value]));
		const loader = await startLoader(t, { files: data, env });
		assert.equal((await loader.ask()).text, "Hello World");
		const probed = ["startupProbe", "readinessProbe", "livenessProbe"].map((probe) => container[probe].httpGet);
		for (const { path, port } of probed) {
			assert.equal(port, "http");
			assert.deepEqual([(await loader.ask(path)).status, (await loader.ask(path)).text], [200, "OK"]);
		}
		assert.equal(container.ports[0].containerPort, 8080, "the default of FUNC_PORT, which is not set");
		const monitor = object("ServiceMonitor", "functions");
		assert.match((await loader.ask(monitor.spec.endpoints[0].path)).text, /^# HELP /);
	});

	test("scale by a metric of the loader, under the name in the adapter's rule", async (t) => {
		const scaler = documents("examples/kubernetes/scaling-by-calls.yaml")[0] as Manifest;
		const { name } = scaler.spec.metrics[0].pods.metric;
		const loader = await startLoader(t, { files: object("ConfigMap", "hello").data, env: { FUNC_RUNTIME: "nodejs" } });
		assert.ok((await loader.figures()).has(name), name);
		const [values] = documents("examples/kubernetes/prometheus-adapter.yaml") as [Manifest];
		const [rule] = values["rules"].custom;
		assert.deepEqual([...asked(rule.seriesQuery).metrics], [name]);
		const query = rule.metricsQuery.replace("<<.Series>>", name).replace("<<.GroupBy>>", "pod").replace("<<.LabelMatchers>>", 'pod="p"');
		assert.deepEqual([...asked(query).metrics], [name]);
	});

	test("have the objects that the commands of docs/kubernetes.md and docs/openshift.md name", () => {
		const kinds: Record<string, string> = { deployment: "Deployment", service: "Service" };
		const named = ["docs/kubernetes.md", "docs/openshift.md"].flatMap((path) => [
			...text(path).matchAll(/(?:kubectl|oc) .*\b(deployment|service)\/(\w+)/g),
		]);
		assert.ok(named.length >= 3, String(named.length));
		for (const [, kind = "", name = ""] of named) object(kinds[kind] as string, name);
	});

	test("are all named in docs/kubernetes.md", () => {
		const page = text("docs/kubernetes.md");
		for (const path of KUBERNETES) assert.ok(page.includes(`(../${path})`), `${path} is not linked`);
	});
});
