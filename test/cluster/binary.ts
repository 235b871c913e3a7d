// The program `cluster`: a Kubernetes control plane, built from control-plane/ through the Go
// module proxy and kept in a cache folder that is named by its source. The first build takes about
// 15 minutes on two cores and 3 GB of disk. node test/cluster/binary.ts prints where it is, or
// would be.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("control-plane/", import.meta.url));

export function binaryPath(): string {
	const hash = createHash("sha256");
	for (const file of readdirSync(source).sort()) hash.update(`${file}\n`).update(readFileSync(join(source, file)));
	const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
	return join(cache, "kubeless-cluster", hash.digest("hex").slice(0, 16), "cluster");
}

/**
 * Returns the path of the program. Builds it if the cache does not have it. Throws if that fails.
 */
export function binary(): string {
	const path = binaryPath();
	if (existsSync(path)) return path;
	mkdirSync(dirname(path), { recursive: true });
	const [, minor = "", patch = ""] = /k8s\.io\/kubernetes v1\.(\d+)\.(\d+)/.exec(readFileSync(join(source, "go.mod"), "utf8")) ?? [];
	const version = "k8s.io/component-base/version";
	const flags = `-s -w -X ${version}.gitVersion=v1.${minor}.${patch} -X ${version}.gitMajor=1 -X ${version}.gitMinor=${minor}`;
	console.log(`Building the control plane of Kubernetes 1.${minor}.${patch} …`);
	const unfinished = `${path}.${process.pid}`;
	const { status, error } = spawnSync("go", ["build", "-trimpath", "-ldflags", flags, "-o", unfinished, "."], {
		cwd: source,
		stdio: "inherit",
	});
	if (status !== 0)
		throw new Error(`go build in ${source} failed: ${error?.message ?? `exit code ${status}`}. Go 1.26 or newer is needed.`);
	renameSync(unfinished, path);
	return path;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(binaryPath());
