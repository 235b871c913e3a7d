package io.kubeless;

/** The function's settings. */
public class Context {
	public String functionName;
	/** seconds */
	public String timeout;
	public String runtime;
	/** a Kubernetes quantity such as 128Mi; "0" without a limit */
	public String memoryLimit;

	public Context(String functionName, String timeout, String runtime, String memoryLimit) {
		this.functionName = functionName;
		this.timeout = timeout;
		this.runtime = runtime;
		this.memoryLimit = memoryLimit;
	}

	public String getFunctionName() {
		return functionName;
	}

	public String getTimeout() {
		return timeout;
	}

	public String getRuntime() {
		return runtime;
	}

	public String getMemoryLimit() {
		return memoryLimit;
	}
}
