// Taking a cluster away with everything `up` made: process, state, kubeconfig context, hosts block.

import { editHostsFile, withoutHostsBlock } from "./hosts-file.ts";
import { removeContext } from "./kubeconfig-file.ts";
import type { EmbeddedProvider } from "./providers/embedded/embedded-provider.ts";

/** True when there was a cluster. The state goes last, so that a failure on the way can be taken up again. */
export async function removeCluster(provider: EmbeddedProvider): Promise<boolean> {
  const { state } = provider;
  if (state?.hostsFile) editHostsFile(state.hostsFile, (text) => withoutHostsBlock(text, provider.context));
  if (state?.kubeconfig) removeContext(state.kubeconfig, provider.context);
  return provider.destroy();
}
