/* SPDX-License-Identifier: MIT */
/* RDMA and generic netlink replies: the input is one message, its length field aside. */
#include "nl/ethtool.h"
#include "nl/rdma.h"
#include "nl_fuzz.h"

static void rdma(const struct nlmsghdr *nlh)
{
	struct err e = ERR_INIT;
	struct nl_rdma_port port;
	struct nl_rdma_dev dev;

	if (nl_rdma_dev_parse(nlh, &dev, &e) == 0) {
		require(dev.name[0] != '\0');
		require(memchr(dev.name, '\0', sizeof(dev.name)) != NULL);
		require(memchr(dev.protocol, '\0', sizeof(dev.protocol)) != NULL);
		require(memchr(dev.fw_version, '\0', sizeof(dev.fw_version)) != NULL);
	}
	if (nl_rdma_port_parse(nlh, &port, &e) == 0) {
		require(port.port != 0);
		require(memchr(port.ndev_name, '\0', sizeof(port.ndev_name)) != NULL);
	}
}

static void genl(const struct nlmsghdr *nlh)
{
	struct err e = ERR_INIT;
	uint32_t mbps = 0;
	uint16_t id = 0;
	bool up, known;

	if (nl_genl_family_parse(nlh, &id, &e) == 0) {
		require(id >= NLMSG_MIN_TYPE);
	}
	if (nl_ethtool_speed_parse(nlh, &mbps, &known, &e) == 0) {
		require(known == (mbps != 0) && mbps != UINT32_MAX);
	}
	if (nl_ethtool_link_parse(nlh, &up, &known, &e) == 0) {
		require(known || !up);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *nlh = fuzz_message(data, size);

	if (nlh == NULL) {
		return 0;
	}
	rdma(nlh);
	genl(nlh);
	free(nlh);
	return 0;
}
