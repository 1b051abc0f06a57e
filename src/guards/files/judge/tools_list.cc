#include "guards/files/judge/tools.h"

namespace hygie::files {

std::string_view built_in_tools() {
    return R"(# name | programs | markers inside
# Remote hands: what false support asks a practice to install.
AnyDesk | anydesk | anydesk.com, net.anydesk
TeamViewer | teamviewer, teamviewerd, teamviewerqs | TeamViewer_Desktop, teamviewer.com/
RustDesk | rustdesk, hbbs, hbbr | rustdesk.com, librustdesk
ScreenConnect | screenconnect, connectwisecontrol | ScreenConnect.Client, ConnectWise Control
Splashtop | splashtop, srstreamer, strwinclt | Splashtop Streamer
Supremo | supremo | SupremoRemoteDesktop
UltraViewer | ultraviewer | UltraViewer_Desktop
DWAgent | dwagent, dwagsvc | www.dwservice.net
MeshAgent | meshagent | MeshAgent, meshcentral
Atera | ateraagent | AteraAgent
NinjaRMM | ninjarmm, ninjarmmagent | NinjaRMMAgent
GoTo | gotoassist, g2ax, logmein | GoToAssist, LogMeInRescue
Zoho Assist | zohoassist, zaservice | assist.zoho.com
NetSupport | client32, netsupport | NetSupport Manager
Radmin | radmin, rserver | Radmin Server
Tactical RMM | tacticalrmm, tacticalagent | tacticalrmm
NoMachine | nxplayer, nxserver | nomachine.com
VNC | x11vnc, tightvnc, winvnc, ultravnc | libvncserver x11vnc
# Ways out and in.
ngrok | ngrok | ngrok.com/, ngrok-agent
cloudflared | cloudflared | argotunnel.com
chisel | chisel | jpillora/chisel
frp | frpc, frps | fatedier/frp
ligolo | ligolo, ligolo-ng | ligolo-ng
gsocket | gs-netcat, gsocket | gsocket.io
tmate | tmate | tmate.io
bore | bore | bore.pub
rclone | rclone | rclone/rclone
MEGA | megacmd, mega-cmd, megatools | mega.co.nz
# Tools of intruders.
Sliver | sliver-client, sliver-server | bishopfox/sliver
Havoc | havoc | HavocFramework
Mythic | poseidon, merlin | MythicAgents
Cobalt Strike | teamserver, cobaltstrike | beacon.x64.dll
Metasploit | msfconsole, msfvenom | metasploit/mettle
LaZagne | lazagne | lazagne.
mimipenguin | mimipenguin | mimipenguin
pspy | pspy, pspy64, pspy32 | dominicbreuker/pspy
)";
}

}  // namespace hygie::files
