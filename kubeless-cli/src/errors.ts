// Errors for people: one sentence with the cure, and an exit code.
import { ApiError } from "../../kubeless-controller/src/kube/api.ts";

export const FAILED = 1;
export const USAGE = 2;

/** A failure of a command. `message` is a sentence with the cure. */
export class CliError extends Error {
	readonly exitCode: number = FAILED;
}

/** A mistake in the command line. */
export class UsageError extends CliError {
	override readonly exitCode = USAGE;
}

const NETWORK: Readonly<Record<string, string>> = {
	ECONNREFUSED: "the connection was refused",
	ECONNRESET: "the connection was closed",
	ENOTFOUND: "its name is unknown",
	EAI_AGAIN: "its name cannot be looked up",
	EHOSTUNREACH: "there is no route to it",
	ENETUNREACH: "there is no network",
	UND_ERR_CONNECT_TIMEOUT: "it does not answer",
	UND_ERR_SOCKET: "the connection was closed",
	ETIMEDOUT: "it does not answer",
};

/** Returns why a connection failed, or undefined if the error is another one. */
export function networkFault(error: unknown): string | undefined {
	const { code = "", name, cause, errors } = error as { code?: string; name?: string; cause?: unknown; errors?: unknown[] };
	if (name === "TimeoutError") return "it does not answer";
	if (NETWORK[code]) return NETWORK[code];
	if (/CERT|SELF_SIGNED|SSL|TLS/.test(code)) return `its certificate is not trusted (${code})`;
	const inner = errors?.[0] ?? cause;
	return inner ? networkFault(inner) : undefined;
}

/** Returns the sentence for an error of a request. @param server the API server's address */
export function sentenceOf(error: unknown, server = "of the kubeconfig"): string {
	if (error instanceof ApiError) return apiSentence(error);
	if (/^HTTP protocol is not allowed/.test((error as Error).message)) {
		return "There is no kubeconfig with an https server. Set KUBECONFIG, or give --kubeconfig FILE.";
	}
	const fault = networkFault(error);
	if (fault) return `The API server ${server} cannot be reached: ${fault}. Start the cluster, or choose another one with --context.`;
	return (error as Error).message.split("\n", 1)[0] ?? "";
}

function apiSentence({ status, reason, message }: ApiError): string {
	if (status === 401) return "The API server refuses the credentials of this context. Log in again, or choose another --context.";
	if (status === 403 && message.includes("cannot"))
		return `You have no right to do this: ${message}. Ask for a role, or choose another --namespace.`;
	const namespace = /^namespaces "(.+)" not found$/.exec(message)?.[1];
	if (namespace)
		return `The namespace "${namespace}" does not exist. Create it with kubectl create namespace ${namespace}, or choose another --namespace.`;
	if (status === 404 && !/" not found$/.test(message))
		return "Kubeless is not installed in this cluster. Install it with: kubeless install";
	if (status === 409 && reason === "Conflict") return `The object was changed meanwhile: ${message}. Run the command again.`;
	return `The API server refuses this: ${message}`;
}
