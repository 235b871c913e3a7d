// A control plane on loopback: etcd, API server, controller manager and scheduler as processes of
// this machine.
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "../support/poll.ts";

const START_MS = 240_000;
const STOP_MS = 8_000;

export interface Plane {
	readonly kubeconfig: string;
	readonly server: string;
	/** Bearer token of an administrator. */
	readonly token: string;
	/** Stops the API server as a crash would, and starts it again with the same data. */
	restartApiServer(): Promise<void>;
	stop(): Promise<void>;
}

/** Starts a control plane. @param base the first of five ports */
export async function startPlane(binary: string, base: number): Promise<Plane> {
	const home = mkdtempSync(join(tmpdir(), "kubeless-cluster-"));
	const [etcdPort, peerPort, apiPort, managerPort, schedulerPort] = [base, base + 1, base + 2, base + 3, base + 4];
	const token = randomBytes(16).toString("hex");
	const server = `https://127.0.0.1:${apiPort}`;
	const kubeconfig = join(home, "kubeconfig");
	writeKeys(home, token);
	writeFileSync(kubeconfig, kubeconfigOf(server, token), { mode: 0o600 });

	const parts = new Map<string, ChildProcess>();
	const start = (name: string, ...args: string[]): void => {
		const log = openSync(join(home, `${name}.log`), "a");
		parts.set(name, spawn(binary, [name, ...args], { stdio: ["ignore", log, log] }));
	};
	const etcd = `http://127.0.0.1:${etcdPort}`;
	const peer = `http://127.0.0.1:${peerPort}`;
	const startApiServer = async (): Promise<void> => {
		start(
			"kube-apiserver",
			`--etcd-servers=${etcd}`,
			"--bind-address=127.0.0.1",
			`--secure-port=${apiPort}`,
			`--cert-dir=${home}/pki`,
			// The API server refuses a loopback address as an endpoint of the Service `kubernetes`.
			"--endpoint-reconciler-type=none",
			"--service-account-issuer=https://kubernetes.default.svc",
			`--service-account-key-file=${home}/pki/sa.pub`,
			`--service-account-signing-key-file=${home}/pki/sa.key`,
			"--service-cluster-ip-range=10.96.0.0/16",
			"--authorization-mode=Node,RBAC",
			"--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
			`--token-auth-file=${home}/pki/tokens.csv`,
			"--kubelet-preferred-address-types=InternalIP",
			"--profiling=false",
		);
		await ready("kube-apiserver", home, parts.get("kube-apiserver"), () => status(apiPort, "/readyz", token));
	};

	const stop = async (): Promise<void> => {
		// Backwards: the API server needs etcd until it has stopped.
		for (const part of [...parts.values()].reverse()) await end(part, "SIGTERM");
	};
	try {
		start(
			"etcd",
			"--name=one",
			`--data-dir=${home}/etcd`,
			`--listen-client-urls=${etcd}`,
			`--advertise-client-urls=${etcd}`,
			`--listen-peer-urls=${peer}`,
			`--initial-advertise-peer-urls=${peer}`,
			`--initial-cluster=one=${peer}`,
			"--unsafe-no-fsync",
			"--log-level=error",
		);
		await ready("etcd", home, parts.get("etcd"), () => isOpen(etcdPort));
		await startApiServer();
		const common = [`--kubeconfig=${kubeconfig}`, "--leader-elect=false", "--bind-address=127.0.0.1"];
		start(
			"kube-controller-manager",
			...common,
			`--secure-port=${managerPort}`,
			`--service-account-private-key-file=${home}/pki/sa.key`,
			`--root-ca-file=${home}/pki/apiserver.crt`,
			"--horizontal-pod-autoscaler-sync-period=5s",
		);
		start("kube-scheduler", ...common, `--secure-port=${schedulerPort}`);
		await ready("kube-controller-manager", home, parts.get("kube-controller-manager"), () =>
			status(apiPort, "/api/v1/namespaces/default/serviceaccounts/default", token),
		);
	} catch (error) {
		await stop();
		throw error;
	}

	return {
		kubeconfig,
		server,
		token,
		async restartApiServer() {
			await end(parts.get("kube-apiserver") as ChildProcess, "SIGKILL");
			await startApiServer();
		},
		async stop() {
			await stop();
			rmSync(home, { recursive: true, force: true });
		},
	};
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const ended = new Promise((resolve) => child.once("exit", resolve));
	child.kill(signal);
	const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
	await ended;
	clearTimeout(timer);
}

async function ready(name: string, home: string, part: ChildProcess | undefined, look: () => Promise<boolean>): Promise<void> {
	await poll(
		async () => {
			if (part && part.exitCode !== null) throw new Error(`${name} ended: ${lastLines(join(home, `${name}.log`))}`);
			return (await look()) || undefined;
		},
		() => `${name} does not start, see ${home}/${name}.log`,
		START_MS,
	);
}

const lastLines = (file: string): string => readFileSync(file, "utf8").trim().split("\n").slice(-3).join("\n");

function isOpen(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1", () => {
			socket.destroy();
			resolve(true);
		});
		socket.on("error", () => resolve(false));
	});
}

function status(port: number, path: string, token: string): Promise<boolean> {
	return new Promise((resolve) => {
		const headers = { authorization: `Bearer ${token}` };
		const asked = request({ host: "127.0.0.1", port, path, headers, rejectUnauthorized: false, agent: false }, (answer) => {
			answer.resume();
			answer.on("end", () => resolve(answer.statusCode === 200));
		});
		asked.on("error", () => resolve(false));
		asked.end();
	});
}

function writeKeys(home: string, token: string): void {
	mkdirSync(join(home, "pki"));
	const { publicKey, privateKey } = generateKeyPairSync("rsa", {
		modulusLength: 2048,
		publicKeyEncoding: { type: "spki", format: "pem" },
		privateKeyEncoding: { type: "pkcs1", format: "pem" },
	});
	writeFileSync(join(home, "pki/sa.pub"), publicKey);
	writeFileSync(join(home, "pki/sa.key"), privateKey, { mode: 0o600 });
	writeFileSync(join(home, "pki/tokens.csv"), `${token},admin,admin,system:masters\n`, { mode: 0o600 });
}

export function kubeconfigOf(server: string, token: string): string {
	return JSON.stringify({
		apiVersion: "v1",
		kind: "Config",
		"current-context": "test",
		clusters: [{ name: "test", cluster: { server, "insecure-skip-tls-verify": true } }],
		users: [{ name: "test", user: { token } }],
		contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
	});
}

/** Returns the resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
	const [, kib = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
	return Math.round(Number(kib) / 1024);
}
