#include "guards/files/enforce/programs.h"

#include <gtest/gtest.h>

namespace hygie::files {
namespace {

TEST(Programs, LocalMountsAreWatchedWhateverTheirNames) {
    const std::string text =
        "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        "23 22 0:20 / /proc rw,nosuid - proc proc rw\n"
        "24 22 0:21 / /mnt/les\\040outils\\134neufs rw shared:1 master:2 - btrfs /dev/vdb rw\n"
        "25 22 0:22 / /mnt/nas rw - nfs4 nas:/ rw\n"
        "26 22 0:23 / /mnt/clef rw - fuse.sshfs ailleurs: rw\n"
        "27 22 0:24 / /tmp rw - tmpfs tmpfs rw\n"
        "28 22\n";
    EXPECT_EQ(mounts_to_watch(text),
              (std::vector<std::string>{"/", "/mnt/les outils\\neufs", "/tmp"}));
}

TEST(Programs, WhatOnlyRootInstallsCountsByItsName) {
    EXPECT_TRUE(is_of_system("/usr/bin/systemctl"));
    EXPECT_TRUE(is_of_system("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"));
    for (const char* path : {"/usr/local/bin/outil", "/opt/anydesk/anydesk", "/tmp/facture",
                             "/home/accueil/bin/outil", "/usr/binaire"})
        EXPECT_FALSE(is_of_system(path)) << path;
}

}  // namespace
}  // namespace hygie::files
