// The programs `cluster`, a Kubernetes control plane, and `kubelet`: built from control-plane/
// through the Go module proxy and kept in a cache folder that is named by their source. The first
// build takes about 15 minutes on two cores and 3 GB of disk; that of `helm`, which is kept by its
// version, about 4. node test/cluster/binary.ts NAME prints where a program is, or would be.
import { type SpawnSyncOptions, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("control-plane/", import.meta.url));
const PACKAGES = { cluster: ".", kubelet: "k8s.io/kubernetes/cmd/kubelet" };
const HELM = "v4.3.1";

export type Program = keyof typeof PACKAGES | "helm";

/** Returns a folder of the cache. */
export function cacheFolder(name: string): string {
	return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "kubeless-cluster", name);
}

export function binaryPath(name: Program): string {
	if (name === "helm") return join(cacheFolder(`helm-${HELM}`), name);
	const hash = createHash("sha256");
	for (const file of readdirSync(source).sort()) hash.update(`${file}\n`).update(readFileSync(join(source, file)));
	return join(cacheFolder(hash.digest("hex").slice(0, 16)), name);
}

/** Returns the path of a program. Builds it if the cache does not have it. Throws if that fails. */
export function binary(name: Program): string {
	const path = binaryPath(name);
	if (existsSync(path)) return path;
	mkdirSync(dirname(path), { recursive: true });
	if (name === "helm") buildHelm(path);
	else buildKubernetes(name, path);
	return path;
}

function buildKubernetes(name: keyof typeof PACKAGES, path: string): void {
	const [, minor = "", patch = ""] = /k8s\.io\/kubernetes v1\.(\d+)\.(\d+)/.exec(readFileSync(join(source, "go.mod"), "utf8")) ?? [];
	const version = "k8s.io/component-base/version";
	const flags = `-s -w -X ${version}.gitVersion=v1.${minor}.${patch} -X ${version}.gitMajor=1 -X ${version}.gitMinor=${minor}`;
	console.log(`Building ${name} of Kubernetes 1.${minor}.${patch} …`);
	const unfinished = `${path}.${process.pid}`;
	go({ cwd: source }, "build", "-trimpath", "-ldflags", flags, "-o", unfinished, PACKAGES[name]);
	renameSync(unfinished, path);
}

function buildHelm(path: string): void {
	console.log(`Building Helm ${HELM} …`);
	const folder = `${dirname(path)}.${process.pid}`;
	const env = { ...process.env, GOBIN: folder, GOFLAGS: "" };
	go({ cwd: tmpdir(), env }, "install", "-trimpath", "-ldflags", "-s -w", `helm.sh/helm/v4/cmd/helm@${HELM}`);
	renameSync(join(folder, "helm"), path);
	rmSync(folder, { recursive: true });
}

function go(options: SpawnSyncOptions, ...args: string[]): void {
	const { status, error } = spawnSync("go", args, { ...options, stdio: "inherit" });
	if (status !== 0)
		throw new Error(`go ${args[0]} of ${args.at(-1)} failed: ${error?.message ?? `exit code ${status}`}. Go 1.26 or newer is needed.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(binaryPath((process.argv[2] ?? "cluster") as Program));
