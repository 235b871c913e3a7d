// The settings of containerd, of the network between pods, and of the kubelet, as text.
import { BRIDGE, NODE_ADDRESS, SUBNET } from "./network.ts";

export const PAUSE_IMAGE = "kubeless-test/pause:latest";

export interface Places {
	/** The node's folder. */
	readonly home: string;
	/** The folder that fetch.sh has filled. */
	readonly tools: string;
	/** The first of two ports of the kubelet. */
	readonly port: number;
}

export const containerdSettings = ({ home, tools }: Places): string => `
version = 3
root = "${home}/containerd"
state = "${home}/run"
[grpc]
  address = "${home}/containerd.sock"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "docker.io/${PAUSE_IMAGE}"
[plugins.'io.containerd.cri.v1.runtime']
  # Needs no CAP_SYS_RESOURCE, which root lacks in some sandboxes: without it every pod fails there.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["${tools}/usr/lib/cni"]
    conf_dir = "${home}/cni"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = "${tools}/usr/sbin/runc"
        SystemdCgroup = false
`;

/** Pods reach the node and each other, and nothing else. */
export const networkSettings = ({ home }: Places): string =>
	JSON.stringify({
		cniVersion: "1.0.0",
		name: "pods",
		plugins: [
			{
				type: "bridge",
				bridge: BRIDGE,
				isGateway: true,
				ipMasq: false,
				ipam: {
					type: "host-local",
					dataDir: `${home}/addresses`,
					ranges: [[{ subnet: SUBNET }]],
					routes: [{ dst: "0.0.0.0/0" }],
				},
			},
			{ type: "loopback" },
		],
	});

/** JSON is YAML. */
export const kubeletSettings = ({ home, port }: Places): string =>
	JSON.stringify({
		apiVersion: "kubelet.config.k8s.io/v1beta1",
		kind: "KubeletConfiguration",
		failCgroupV1: false,
		cgroupDriver: "cgroupfs",
		enforceNodeAllocatable: [],
		failSwapOn: false,
		makeIPTablesUtilChains: false,
		localStorageCapacityIsolation: false,
		// A loopback address is refused.
		address: NODE_ADDRESS,
		port,
		healthzPort: port + 1,
		authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
		authorization: { mode: "AlwaysAllow" },
		clusterDNS: [NODE_ADDRESS],
		clusterDomain: "cluster.local",
		resolvConf: "",
		containerRuntimeEndpoint: `unix://${home}/containerd.sock`,
		podLogsDir: `${home}/logs`,
		evictionHard: { "memory.available": "50Mi" },
		imageGCHighThresholdPercent: 100,
		// Several pods start at once in an update.
		serializeImagePulls: false,
	});
