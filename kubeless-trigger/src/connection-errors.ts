// Errors of connections with TLS, by the codes of Node.js and OpenSSL, and what to do about them.
import type { PeerCertificate } from "node:tls";
import { chainOf } from "./failures.ts";

/** Codes of certificates whose issuer is not known. */
const UNKNOWN_ISSUER = new Set([
	"DEPTH_ZERO_SELF_SIGNED_CERT",
	"SELF_SIGNED_CERT_IN_CHAIN",
	"UNABLE_TO_GET_ISSUER_CERT",
	"UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
	"UNABLE_TO_VERIFY_LEAF_SIGNATURE",
	"CERT_SIGNATURE_FAILURE",
]);
/** Alerts of a server that refuses the client's certificate, or asks for one. */
const CLIENT_CERTIFICATE = /ALERT_(?:CERTIFICATE_REQUIRED|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA|HANDSHAKE_FAILURE)/;
const UNREACHABLE = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN"]);

/** Node.js's ERR_TLS_CERT_ALTNAME_INVALID. */
interface NameError {
	readonly host: string;
	readonly cert: PeerCertificate;
}

/**
 * Explains an error of a connection.
 * @param system the prefix of the variables that configure it
 */
export function connectionCause(error: Error, system: "KAFKA" | "NATS"): string | undefined {
	const servers = system === "KAFKA" ? "KAFKA_BROKERS" : "NATS_URL";
	for (const one of chainOf(error)) {
		const { code = "", message, host, cert } = one as NodeJS.ErrnoException & Partial<NameError>;
		if (UNKNOWN_ISSUER.has(code)) {
			return `the server's certificate is signed by an unknown authority. Set ${system}_CACERTS to the authority's certificate.`;
		}
		if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
			const names = cert?.subjectaltname ?? "no name";
			return `the server's certificate is for ${names}, not for ${host}. Use a name of the certificate in ${servers}.`;
		}
		if (code === "CERT_HAS_EXPIRED") return "the server's certificate has expired. Renew it.";
		if (CLIENT_CERTIFICATE.test(code)) {
			return `the server does not accept the client's certificate, or none was given. Set ${system}_CERT and ${system}_KEY.`;
		}
		if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
			return `the server does not use TLS at this port. Correct ${servers}.`;
		}
		if (UNREACHABLE.has(code)) return `the server cannot be reached (${message}). Check ${servers}, and that the server runs.`;
	}
	return undefined;
}
