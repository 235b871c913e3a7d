"use strict";

const { Output } = require("./output");
const { makeScopes } = require("./scopes");

/** @import { Call } from "./call" */
/** @import { Wire } from "./wire" */

/** The calls that outlive the turn they arrived in, and what all of them write to. */
class Calls {
	/**
	 * @param {Wire} wire
	 * @param {() => void} onIdle is called once, after `stop`, when no call is open
	 */
	constructor(wire, onIdle) {
		this.wire = wire;
		this.onIdle = onIdle;
		this.scopes = makeScopes(this);
		this.output = new Output(this);
		/** @type {Map<number, Call>} */
		this.held = new Map();
		this.stopping = false;
		this.idle = false;
	}

	/** @param {Call} call */
	hold(call) {
		if (!call.over) this.held.set(call.id, call);
	}

	/** @param {Call} call */
	release(call) {
		this.held.delete(call.id);
		if (this.stopping) this.leave();
	}

	/** @param {number} id */
	get(id) {
		return this.held.get(id);
	}

	/** PROTOCOL 6.2 */
	stop() {
		this.stopping = true;
		this.leave();
	}

	leave() {
		if (this.held.size > 0 || this.idle) return;
		this.idle = true;
		setImmediate(this.onIdle); // in a later turn: the frame that ends the last call is not written yet
	}
}

exports.Calls = Calls;
