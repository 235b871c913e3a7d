// Waits until a Function is Ready, with the conditions' reasons in a line of progress.
import type { Condition, KubelessFunction, KubeObject } from "../../../kubeless-controller/src/api/types.ts";
import { newestPods } from "../../../kubeless-controller/src/pods.ts";
import { CliError } from "../errors.ts";
import { Progress } from "../output.ts";
import type { Session } from "../session.ts";

const LOOK_MS = 500;
/**
 * A failure of pods must last this long, in ms: right after a change the pods may be those of the
 * previous version.
 */
const SETTLED_MS = 2000;
/** A state that lasts this long, in ms, is explained by the warnings about the pods. */
const UNEXPLAINED_MS = 5000;
/** The state of pods in these cases does not improve by waiting. */
const HOPELESS = /Failed$|^(?:CrashLoopBackOff|OOMKilled|InvalidImageName|QuotaExceeded|FailedCreate)$/;
const TEMPORARY = /^Api(?:Unreachable|Error)$/;

export interface State {
	readonly is: "waiting" | "ready" | "failed";
	readonly text: string;
	/** Whether the state follows from the spec alone. */
	readonly sure?: boolean;
}

/** Returns how far a Function is, by its status. */
export function stateOf({ metadata, status }: KubelessFunction): State {
	const find = (type: string): Condition | undefined => status?.conditions?.find((condition) => condition.type === type);
	const [configured, built, ready] = [find("Configured"), find("Built"), find("Ready")];
	if (!configured || (status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
		return { is: "waiting", text: "The controller has not looked at it yet." };
	}
	const sentence = ({ reason, message }: Condition): string => `${reason}: ${message}`;
	if (configured.status === "False") {
		return { is: TEMPORARY.test(configured.reason) ? "waiting" : "failed", text: sentence(configured), sure: true };
	}
	if (ready?.status === "True") return { is: "ready", text: ready.message };
	if (ready?.reason === "Suspended" || ready?.reason === "ScaledToZero") return { is: "ready", text: ready.message };
	if (built?.status === "False") return { is: HOPELESS.test(built.reason) ? "failed" : "waiting", text: sentence(built) };
	if (!ready) return { is: "waiting", text: "The controller has not looked at its pods yet." };
	// While nothing is wrong, the step that runs says more.
	const text = ready.reason === "Starting" && built?.status === "Unknown" ? sentence(built) : sentence(ready);
	return { is: HOPELESS.test(ready.reason) ? "failed" : "waiting", text };
}

/**
 * Resolves when the Function is Ready. Throws a CliError with the reason if it cannot be, or is not
 * after `timeoutMs`.
 */
export async function waitUntilReady(session: Session, name: string, timeoutMs: number): Promise<KubelessFunction> {
	const progress = new Progress(session.shell);
	const deadline = Date.now() + timeoutMs;
	let last = "";
	let since = Date.now();
	try {
		for (;;) {
			const fn = await session.get<KubelessFunction>("Function", name);
			const state = stateOf(fn);
			if (state.text !== last) since = Date.now();
			last = state.text;
			if (state.is === "ready") return fn;
			const late = Date.now() > deadline;
			const explained = late || Date.now() - since >= UNEXPLAINED_MS;
			const text = explained ? `${state.text}${await podWarning(session, name)}` : state.text;
			progress.show(`${name}: ${text}`);
			const settled = state.sure || Date.now() - since >= SETTLED_MS;
			if (settled && state.is === "failed") throw new CliError(`Function "${name}" does not get ready. ${state.text}`);
			if (late) {
				const cure = fn.status?.conditions ? `See kubeless function logs ${name}.` : "Is the controller installed? See kubeless install.";
				throw new CliError(`Function "${name}" is not ready after ${timeoutMs / 1000} s. ${text} ${cure}`);
			}
			await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
		}
	} finally {
		progress.end();
	}
}

type PodEvent = KubeObject & { readonly reason: string; readonly message: string; readonly involvedObject: { readonly name: string } };

/**
 * Returns the newest warning about the function's pods, which their status lacks: a Secret that
 * does not exist, a volume, a network. Empty without one, or without the right to read events.
 */
async function podWarning(session: Session, name: string): Promise<string> {
	try {
		const pods = newestPods(await session.list("Pod", `created-by=kubeless,function=${name}`));
		const names = new Set(pods.map(({ metadata }) => metadata.name));
		const { items } = await session.api.get<{ items: PodEvent[] }>(`/api/v1/namespaces/${session.namespace}/events`, {
			fieldSelector: "type=Warning,involvedObject.kind=Pod",
		});
		const warnings = items
			.filter(({ involvedObject, reason }) => names.has(involvedObject.name) && /^Failed(?!Scheduling$)[A-Z]/.test(reason))
			.sort((a, b) => ((a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? -1 : 1));
		const last = warnings.at(-1);
		return last ? ` ${last.reason}: ${last.message.trim()}.` : "";
	} catch {
		return "";
	}
}
