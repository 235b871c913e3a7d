// Certificates for tests: two authorities, and a server's and a client's certificate of the first.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { run } from "./download.ts";

/** Paths of PEM files. */
export interface Certificates {
	/** The authority that signed the others. */
	readonly ca: string;
	/** An authority that signed none of them. */
	readonly otherCa: string;
	/** For the host name `localhost` only. */
	readonly server: Pair;
	readonly client: Pair;
}

export interface Pair {
	readonly certificate: string;
	readonly key: string;
	/** The key, then the certificate, in one file. */
	readonly both: string;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export function makeCertificates(owner: Owner): Certificates {
	const home = folder(owner);
	const path = (name: string): string => join(home, name);
	const authority = (name: string): string => {
		const extension = ["-addext", "basicConstraints=critical,CA:TRUE"];
		run(
			"openssl",
			"req",
			"-x509",
			...KEY,
			"-subj",
			`/CN=${name}`,
			...extension,
			"-days",
			"2",
			"-keyout",
			path(`${name}.key`),
			"-out",
			path(name),
		);
		return path(name);
	};
	const ca = authority("ca.pem");
	const signed = (name: string, alternative: string): Pair => {
		const [request, certificate, key, both] = [path(`${name}.csr`), path(`${name}.pem`), path(`${name}.key`), path(`${name}.both`)];
		run("openssl", "req", ...KEY, "-subj", `/CN=${name}`, "-keyout", key, "-out", request);
		writeFileSync(path(`${name}.ext`), `subjectAltName=${alternative}\n`);
		const signing = ["-CA", ca, "-CAkey", `${ca}.key`, "-CAcreateserial", "-extfile", path(`${name}.ext`), "-days", "2"];
		run("openssl", "x509", "-req", "-in", request, ...signing, "-out", certificate);
		writeFileSync(both, run("cat", key, certificate));
		return { certificate, key, both };
	};
	return { ca, otherCa: authority("other.pem"), server: signed("server", "DNS:localhost"), client: signed("client", "DNS:client") };
}
