package io.kubeless;

/** What a function may know of itself. */
public class Context {
	public String functionName;
	/** seconds */
	public String timeout;
	public String runtime;
	/** as Kubernetes writes it; "0" where there is no limit */
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
