import assert from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test, { before, describe } from "node:test";
import { fileURLToPath } from "node:url";
import { folder, startLoader } from "../support/loader.ts";
import { type Owner, suiteOwner } from "../support/owner.ts";
import { zip } from "./archive.ts";
import { bundle, configMap, cron, type FunctionSpec, prepare, sha256 } from "./controller.ts";
import { docker, must, type Ran } from "./docker.ts";
import { describeImages } from "./images.ts";
import { tar } from "./tar.ts";

const IMAGE = "kubeless-test/provision";
const PYTHON = { depName: "requirements.txt", suffix: ".py" };
const FUNCTION = "def hello(event, context):\n    return 'grüße'\n";
const SEVERAL = { "hello.py": FUNCTION, "lib/words.py": "HELLO = 'hello'\n" };
const DEPS = "humanize==4.9.0\n";

/** Security contexts of a pod: the controller's, and a restricted namespace's on OpenShift. */
const PODS = {
	"uid 1000": ["--user", "1000:1000"],
	"any uid, a read-only root, no capability": [
		...["--user", "1000660000:0", "--read-only", "--tmpfs", "/tmp:mode=1777"],
		...["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
	],
};
const CONTROLLER = PODS["uid 1000"];

describeImages("the provision image", () => {
	const owner = suiteOwner();
	let archives: Record<"zip" | "gz" | "bz2" | "xz", Buffer>;
	let served: Served;

	before(async () => {
		await must("build", "--quiet", "--tag", IMAGE, fileURLToPath(new URL("../../images/provision", import.meta.url)));
		served = await serve(owner);
		const place = folder(owner, SEVERAL);
		const out = folder(owner);
		const volumes = ["-v", `${place}:/from:ro`, "-v", `${out}:/out`];
		const flags = { gz: "z", bz2: "j", xz: "J" };
		const pack = Object.entries(flags).map(([suffix, flag]) => `tar c${flag}f /out/f.tar.${suffix} -C /from .`);
		// Made as by a user's tar, without the TAR_OPTIONS of the image.
		await must("run", "--rm", "--user", "0", "-e", "TAR_OPTIONS=", ...volumes, IMAGE, "sh", "-c", pack.join(" && "));
		const packed = (suffix: string) => readFileSync(join(out, `f.tar.${suffix}`));
		archives = { zip: zip(SEVERAL), gz: packed("gz"), bz2: packed("bz2"), xz: packed("xz") };
	});

	/**
	 * Runs the prepare step as in a pod. Returns the exit code, the output and the files in /kubeless.
	 */
	async function prepared(spec: FunctionSpec, pod = CONTROLLER): Promise<Ran & { files: Record<string, string> }> {
		const source = folder(owner, configMap(spec, PYTHON));
		chmodSync(source, 0o755);
		const target = volume(owner);
		const ran = await step(prepare(spec, PYTHON), [...pod, "-v", `${source}:/src:ro`, "-v", `${target}:/kubeless`]);
		return { ...ran, files: filesIn(target) };
	}

	/** Returns the output of the image's tar for an archive. */
	async function runTar(flags: string, archive: Buffer): Promise<Ran> {
		const place = folder(owner, { archive });
		chmodSync(place, 0o755);
		return docker("run", "--rm", "-e", "TAR_OPTIONS=", "-v", `${place}:/in:ro`, IMAGE, "tar", flags, "/in/archive");
	}

	const hello = { name: "hello.py", text: FUNCTION };
	const single = { "hello.py": FUNCTION };
	const none = { "requirements.txt": "" };
	const bundled = { ...SEVERAL, "requirements.txt": DEPS };
	const base64 = (bytes: Buffer | string) => Buffer.from(bytes).toString("base64");
	const url = (name: string, bytes: Buffer | string) => served.at(name, bytes);
	/**
	 * Content type, the Function's field `function`, the bytes of the checksum, the files in /kubeless
	 * afterwards.
	 */
	const cases: [string, () => { function: string; bytes: Buffer | string }, Record<string, string>][] = [
		["", () => ({ function: FUNCTION, bytes: FUNCTION }), single],
		["text", () => ({ function: FUNCTION, bytes: FUNCTION }), single],
		["base64", () => ({ function: base64(FUNCTION), bytes: FUNCTION }), single],
		["base64+zip", () => ({ function: base64(archives.zip), bytes: archives.zip }), SEVERAL],
		["base64+compressedtar", () => ({ function: base64(archives.gz), bytes: archives.gz }), SEVERAL],
		["url", () => ({ function: url("hello.py", FUNCTION), bytes: FUNCTION }), single],
		["url+zip", () => ({ function: url("f.zip", archives.zip), bytes: archives.zip }), SEVERAL],
		["url+compressedtar", () => ({ function: url("f.tar.bz2", archives.bz2), bytes: archives.bz2 }), SEVERAL],
	];

	for (const [pod, flags] of Object.entries(PODS)) {
		for (const [contentType, make, expected] of cases) {
			test(`${pod}: a function of type "${contentType}" is put into /kubeless, with an empty dependency file`, async () => {
				const { function: text, bytes } = make();
				const spec = { handler: "hello.hello", function: text, contentType, checksum: `sha256:${sha256(bytes)}` };
				const { code, stdout, stderr, files } = await prepared(spec, flags);
				assert.equal(code, 0, stdout + stderr);
				assert.deepEqual(files, { ...expected, ...none });
			});
		}
	}

	test("a Function's dependencies are written next to it, and replace those of an archive", async () => {
		const own = zip({ ...SEVERAL, "requirements.txt": "of the archive\n" });
		const spec = { handler: "hello.hello", function: base64(own), contentType: "base64+zip", deps: DEPS };
		assert.deepEqual((await prepared(spec)).files, bundled);
	});

	for (const contentType of ["base64+zip+deps", "url+zip+deps"]) {
		test(`${contentType}: the archive's own dependency file stays`, async () => {
			const own = zip({ ...bundled });
			const text = contentType.startsWith("url") ? url("own.zip", own) : base64(own);
			assert.deepEqual((await prepared({ handler: "hello.hello", function: text, contentType })).files, bundled);
		});
	}

	test("an archive in xz format is unpacked", async () => {
		const spec = { handler: "hello.hello", function: base64(archives.xz), contentType: "base64+compressedtar+deps" };
		assert.deepEqual((await prepared(spec)).files, SEVERAL);
	});

	for (const contentType of ["text", "base64+zip", "url"]) {
		test(`${contentType}: a wrong checksum ends the step and leaves /kubeless empty`, async () => {
			const text = { text: FUNCTION, "base64+zip": base64(archives.zip), url: url("wrong.py", FUNCTION) }[contentType] as string;
			const spec = { handler: "hello.hello", function: text, contentType, checksum: `sha256:${sha256("something else")}` };
			const { code, stdout, stderr, files } = await prepared(spec);
			assert.notEqual(code, 0);
			assert.match(stdout + stderr, /: FAILED\n.*1 computed checksum did NOT match/s);
			assert.deepEqual(files, {});
		});
	}

	test("an archive that begins with `./` is unpacked, although /kubeless belongs to root", async () => {
		const { stdout } = await runTar("tvzf", archives.gz);
		assert.match(stdout, /^drwx------ .* \.\/$/m, "the archive is of a folder with a mode and time of its own");
		const spec = { handler: "hello.hello", function: base64(archives.gz), contentType: "base64+compressedtar" };
		assert.deepEqual([(await prepared(spec)).code, (await prepared(spec)).stderr], [0, ""]);
	});

	test("a URL that redirects is followed", async () => {
		const spec = { handler: "hello.hello", function: served.redirect(url("new.py", FUNCTION)), contentType: "url" };
		assert.deepEqual((await prepared(spec)).files, { ...single, ...none });
	});

	test("a URL that responds 404 ends the step with an error, instead of serving the error page as the function", async () => {
		const { code, stderr, files } = await prepared({ handler: "hello.hello", function: served.missing, contentType: "url" });
		assert.equal(code, 22);
		assert.match(stderr, /The requested URL returned error: 404/);
		assert.deepEqual(files, {});
	});

	test("a URL that fails twice is fetched with the third request", async () => {
		const spec = { handler: "hello.hello", function: served.failing("shaky.py", FUNCTION, 2), contentType: "url" };
		const { code, stderr, files } = await prepared(spec);
		assert.equal(code, 0, stderr);
		assert.deepEqual(files, { ...single, ...none });
	});

	/** Description, content type, archive, exit code of unpacking, and the pattern of its output. */
	const hostile: [string, string, Buffer, number, RegExp][] = [
		["a zip with `..`", "zip", zip({ "../src/escaped": "x", "../tmp/escaped": "x" }), 1, /skipped "\.\.\/" path/],
		["a tar with `..`", "compressedtar", tar([{ name: "../tmp/escaped", text: "x" }]), 2, /name contains '\.\.'/],
		["a tar with an absolute name", "compressedtar", tar([{ name: "/tmp/escaped", text: "x" }]), 0, /Removing leading `\/'/],
		[
			"a tar with a link out and a file behind it",
			"compressedtar",
			tar([
				{ name: "out", type: "symlink", to: "/tmp" },
				{ name: "out/escaped", text: "x" },
			]),
			2,
			/Cannot open: Not a directory/,
		],
		["a tar with a hard link out", "compressedtar", tar([{ name: "escaped", type: "hardlink", to: "/etc/passwd" }]), 2, /Cannot hard link/],
		["a tar with a device", "compressedtar", tar([{ name: "device", type: "device" }]), 2, /Cannot mknod/],
	];
	for (const [what, kind, archive, status, words] of hostile) {
		test(`${what} writes no file outside /kubeless`, async () => {
			const unpack = prepare({ handler: "hello.hello", function: "", contentType: `base64+${kind}+deps` }, PYTHON);
			const target = volume(owner);
			const source = folder(owner, { hello: base64(archive) });
			chmodSync(source, 0o755);
			const flags = [...CONTROLLER, "-v", `${source}:/src:ro`, "-v", `${target}:/kubeless`];
			const { stdout, stderr } = await step(`${unpack}; echo "ended with $?"; ls /tmp`, flags);
			assert.match(stdout + stderr, words);
			assert.match(stdout, new RegExp(`ended with ${status}\nfunc\\.decoded$`, "m"));
			assert.doesNotMatch(stdout, /^escaped/m);
			for (const [name, content] of Object.entries(filesIn(target))) assert.equal(content, "x", name);
		});
	}

	test("the setuid bit of a file in an archive is not set", async () => {
		const archive = tar([{ ...hello, mode: 0o4755 }]);
		const target = volume(owner);
		const source = folder(owner, { hello: base64(archive) });
		chmodSync(source, 0o755);
		const spec = { handler: "hello.hello", function: "", contentType: "base64+compressedtar+deps" };
		const { code, stderr } = await step(prepare(spec, PYTHON), [...CONTROLLER, "-v", `${source}:/src:ro`, "-v", `${target}:/kubeless`]);
		assert.equal(code, 0, stderr);
		assert.equal(statSync(join(target, "hello.py")).mode & 0o7777, 0o755);
	});

	test("the files in /kubeless are bundled for an image layer, for controllers that build images", async () => {
		const target = volume(owner, { "hello.py": FUNCTION, "lib/words.py": "x" });
		const { code, stderr } = await step(bundle, [...CONTROLLER, "-v", `${target}:/kubeless`]);
		assert.equal(code, 0, stderr);
		const listed = await must("run", "--rm", ...CONTROLLER, "-v", `${target}:/kubeless:ro`, IMAGE, "tar", "tf", "/kubeless/bundle.tar");
		assert.match(listed, /^kubeless\/hello\.py$/m);
		assert.match(listed, /^kubeless\/lib\/words\.py$/m);
	});

	describe("in a cron job", () => {
		// A cron job's pod sets no user, and has these limits.
		const job = ["--network", "host", "--add-host", "fn.ns.svc.cluster.local:127.0.0.1", "-m", "64m", "--cpus", "0.5"];
		const call = (port: number, payload?: string) => {
			const text = cron({ url: `http://fn.ns.svc.cluster.local:${port}`, uid: "6f0e0bd4", ...(payload !== undefined && { payload }) });
			return docker("run", "--rm", ...job, "--entrypoint", "/bin/sh", IMAGE, "-c", text);
		};
		const source = "exports.h = ({ extensions, ...event }) => ({ method: extensions.request.method, ...event });";

		test("calls a function with the event's time, id, type and namespace", async () => {
			const loader = await startLoader(owner, { files: { "f.js": source }, env: { FUNC_RUNTIME: "nodejs" } });
			const { code, stdout, stderr } = await call(loader.port);
			assert.equal(code, 0, stderr);
			const { "event-time": time, ...event } = JSON.parse(stdout);
			assert.match(time, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00$/);
			assert.deepEqual(event, {
				method: "GET",
				data: {},
				"event-id": "6f0e0bd4",
				"event-type": "application/json",
				"event-namespace": "cronjobtrigger.kubeless.io",
			});
			assert.match(stderr, /< HTTP\/1\.1 200 OK/);
		});

		test("sends a payload as JSON", async () => {
			const loader = await startLoader(owner, { files: { "f.js": source }, env: { FUNC_RUNTIME: "nodejs" } });
			const { method, data } = JSON.parse((await call(loader.port, '{"every":"minute"}')).stdout);
			assert.deepEqual([method, data], ["POST", { every: "minute" }]);
		});

		test("calls a failing function exactly once, and ends with exit code 0, as with Kubeless's own image", async () => {
			const fails = "exports.h = (event) => { event.extensions.response.status(503); return 'no'; };";
			const loader = await startLoader(owner, { files: { "f.js": fails }, env: { FUNC_RUNTIME: "nodejs" } });
			const { code, stdout } = await call(loader.port);
			assert.deepEqual([code, stdout], [0, "no"]);
			assert.equal((await loader.figures()).sum("function_calls_total"), 1);
		});
	});

	test("runs as uid 1000 unless the pod sets another user, and contains certificates", async () => {
		const output = await must("run", "--rm", IMAGE, "sh", "-c", "id -u; grep -c BEGIN /etc/ssl/certs/ca-certificates.crt");
		const [uid, certificates] = output.split("\n").map(Number);
		assert.equal(uid, 1000);
		assert.ok((certificates ?? 0) > 50, output);
	});

	test("has no package manager, no interpreter except sh, no setuid file, and no file that its user can change outside /tmp", async (t) => {
		const listed = await must("run", "--rm", "--user", "0", IMAGE, "ls", "-lR", "/etc", "/usr", "/var", "/tmp");
		const programs = (await must("run", "--rm", IMAGE, "ls", "/usr/bin", "/usr/local/bin")).split("\n");
		assert.ok(programs.includes("curl") && programs.includes("tar"), String(programs));
		for (const name of ["apt", "apt-get", "dpkg", "perl", "python3", "bash", "su", "mount", "find", "openssl"]) {
			assert.ok(!programs.includes(name), name);
		}
		const modes = [...listed.matchAll(/^([-d])(\S{9})\S* +\d+ (\S+)/gm)];
		assert.ok(modes.length > 60, `only ${modes.length} files`);
		for (const [line, , mode, user] of modes) {
			assert.equal(user, "root", line);
			assert.doesNotMatch(mode as string, /[sS]|w.$/, line);
		}
		const bytes = Number(await must("image", "inspect", "--format", "{{.Size}}", IMAGE));
		t.diagnostic(`provision image: ${(bytes / 1e6).toFixed(1)} MB unpacked`);
	});

	test("contains the package records that vulnerability scanners read", async () => {
		const records = await must("run", "--rm", IMAGE, "sh", "-c", "cat /var/lib/dpkg/status.d/*");
		const packages = [...records.matchAll(/^Package: (.+)$/gm)].map(([, name]) => name);
		for (const wanted of ["curl", "libc6", "tar", "unzip", "coreutils", "dash", "ca-certificates"])
			assert.ok(packages.includes(wanted), wanted);
		assert.equal([...records.matchAll(/^Version: ./gm)].length, packages.length);
	});

	const step = (text: string, flags: readonly string[]): Promise<Ran> =>
		// Uses the host's network for the URLs of this test. Without HOME, as in Kubernetes.
		docker("run", "--rm", "--network", "host", ...flags, "--entrypoint", "sh", IMAGE, "-c", text);
});

/** Makes a folder like an emptyDir, which every user can write to. */
function volume(owner: Owner, files: Record<string, string> = {}): string {
	const place = folder(owner, { "volume/.keep": "", ...inFolder("volume", files) });
	const inside = join(place, "volume");
	rmSync(join(inside, ".keep"));
	chmodSync(place, 0o755);
	chmodSync(inside, 0o777);
	// Only root may remove another user's files, and the tests are root only inside a container.
	if (process.getuid?.() !== 0) {
		const empty = ["run", "--rm", "--user", "0", "-v", `${inside}:/volume`, IMAGE, "sh", "-c", "rm -rf /volume/*"];
		owner.after(() => must(...empty).then(() => {}));
	}
	return inside;
}

const inFolder = (name: string, files: Record<string, string>) =>
	Object.fromEntries(Object.entries(files).map(([file, text]) => [`${name}/${file}`, text]));

/** Returns the files of a folder by name, without following links. */
function filesIn(place: string, within = ""): Record<string, string> {
	const entries = readdirSync(join(place, within), { withFileTypes: true }).map((entry) => ({ entry, name: join(within, entry.name) }));
	const here = entries.filter(({ entry }) => entry.isFile()).map(({ name }) => [name, readFileSync(join(place, name), "utf8")] as const);
	const below = entries.filter(({ entry }) => entry.isDirectory()).flatMap(({ name }) => Object.entries(filesIn(place, name)));
	return Object.fromEntries([...here, ...below]);
}

type Served = Awaited<ReturnType<typeof serve>>;

/** Starts the server for functions of type url. */
async function serve(owner: Owner) {
	const bodies = new Map<string, Buffer | string>();
	const failures = new Map<string, number>();
	const server = http.createServer(({ url: path = "" }, response) => {
		const left = failures.get(path) ?? 0;
		failures.set(path, left - 1);
		if (path.startsWith("/to/")) response.writeHead(302, { Location: path.slice(3) }).end();
		else if (left > 0) response.writeHead(503).end("not now");
		else if (bodies.has(path)) response.end(bodies.get(path));
		else response.writeHead(404).end("there is no such page");
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	owner.after(() => void server.close());
	const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const at = (name: string, bytes: Buffer | string) => {
		bodies.set(`/${name}`, bytes);
		return `${base}/${name}`;
	};
	return {
		at,
		missing: `${base}/missing.py`,
		redirect: (url: string) => url.replace(base, `${base}/to`),
		/** the number of requests that fail first */
		failing(name: string, bytes: Buffer | string, times: number) {
			failures.set(`/${name}`, times);
			return at(name, bytes);
		},
	};
}
