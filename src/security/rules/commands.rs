//! Commands, statements and code that destroy, take over or leak when they are run: each with what makes it one.

use super::super::level::{Severity, category};
use super::Row;

pub(super) const CATEGORY: &str = category::DANGEROUS_COMMANDS;

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "command.remove_root",
        severity: Severity::High,
        what: "removes the root, a home or a system folder with all that is in it",
        anchors: &[
            "rm ", "rm\t", "rm\"", "rm'", "rm$", "rm,", "rmtree", "find /", "find ~",
        ],
        // Separators may also be the quotes and commas of an argument list, or the shell's `$IFS`.
        pattern: r#"(?x)
            \brm
            (?: (?:[\s"',]|\$\{?ifs\}?){1,6} -{1,2}[a-z-]{1,24} ){0,3}
            (?:[\s"',]|\$\{?ifs\}?){1,6} -(?: [a-z]{0,6}r[a-z]{0,6} | -recursive )
            (?: (?:[\s"',]|\$\{?ifs\}?){1,6} -{1,2}[a-z-]{0,24} ){0,3}
            (?:[\s"',]|\$\{?ifs\}?){1,6}
            (?: /(?:\*|\.\*)?
              | ~(?:/\*?)?
              | \$\{?home\}?(?:/\*?)?
              | /(?:bin|boot|dev|etc|home|lib|lib64|opt|proc|root|sbin|srv|sys|system|users|usr|var)(?:/\*?)?
            )
            (?: [\s"'`;&|)\\<>,.\]\}] | \z )
          | \brmtree\s{0,3}\(\s{0,3}["'](?:/|~/?|/(?:bin|boot|etc|home|lib|opt|root|usr|var)/?)["']
          | \bfind\s{1,4}[/~]\s{1,4}[^\n|;]{0,60}?-(?:delete\b|exec\s{1,4}rm\b)
        "#,
    },
    Row {
        id: "command.remove_recursive",
        severity: Severity::Low,
        what: "removes a folder with all that is in it, without asking",
        anchors: &["rm -", "rm\t-", "rm  -", "rm\"", "rm'"],
        pattern: r#"(?x)
            \brm [\s"',]{1,6}
            -(?: [a-z]{0,4}r[a-z]{0,4}f[a-z]{0,4} | [a-z]{0,4}f[a-z]{0,4}r[a-z]{0,4} | r[\s"',]{1,6}-f | f[\s"',]{1,6}-r )
            [\s"',]{1,6} [^\s"',]
        "#,
    },
    Row {
        id: "command.wipe_disk",
        severity: Severity::High,
        what: "overwrites or formats a disk",
        anchors: &[
            "/dev/sd",
            "/dev/hd",
            "/dev/nvme",
            "/dev/vd",
            "/dev/xvd",
            "/dev/mmcblk",
            "/dev/disk",
            "/dev/rdisk",
            "/dev/mapper",
            "format c:",
            "format d:",
            "format /",
            "erasedisk",
        ],
        pattern: r"(?x)
            (?: \bmkfs(?:\.[a-z0-9]{2,8})?\s[^\n;|]{0,60}?
              | \bdd\s[^\n;|]{0,120}?\bof=
              | >\s{0,3}
              | \b(?:shred|wipefs|mkswap|blkdiscard)\s[^\n;|]{0,60}?
            )
            /dev/(?:sd[a-z]|hd[a-z]|nvme\d|vd[a-z]|xvd[a-z]|mmcblk\d|r?disk\d|mapper/\w)
          | \bformat(?:\.com)?\s{1,4}(?:/[a-z:]{1,8}\s{1,4}){0,3}[c-z]:(?:\s{0,3}/[a-z]|[\x20\t]{0,3}(?:\z|\n)|\\)
          | \bdiskutil\s{1,4}erasedisk\b
        ",
    },
    Row {
        id: "command.fork_bomb",
        severity: Severity::High,
        what: "starts processes until nothing else can",
        anchors: &[
            ":(){",
            ":() {",
            ": ()",
            "bomb()",
            "%0|%0",
            "fork while",
            "os.fork",
            "fork()",
        ],
        pattern: r"(?x)
            (?: :|\bbomb )\s{0,3}\(\)\s{0,3}\{\s{0,3}(?: :|bomb )\s{0,3}\|\s{0,3}(?: :|bomb )\s{0,3}&\s{0,3}\}
          | %0\|%0
          | \bfork\s{1,3}while\s{1,3}(?:fork|1|true)\b
          | \bwhile\s{0,3}\(?(?:true|1)\)?\s{0,3}[:\{]?\s{0,8}(?:os\.)?fork\s{0,2}\(
        ",
    },
    Row {
        id: "command.pipe_to_shell",
        severity: Severity::High,
        what: "runs what it fetches from the network",
        anchors: &[
            "curl",
            "wget",
            "iwr ",
            "irm ",
            "invoke-webrequest",
            "invoke-restmethod",
            "downloadstring",
        ],
        pattern: r#"(?x)
            \b(?:curl|wget)\b[^|\n;]{4,240}\|
            \s{0,4}(?:sudo\s{1,3}(?:-\S{1,12}\s{1,3}){0,3})?(?:env\s{1,3})?(?:/(?:usr/)?(?:local/)?bin/)?
            (?: (?:ba|z|da|k|c|tc|fi)?sh | python[23]? | perl | ruby | node | php )
            (?: [\s"'`;&|)\\<>,.\]\}] | \z )
          | (?: \b(?:ba|z|da|k)?sh\s{1,3}(?:-[a-z]{1,3}\s{1,3})? | \beval\s{1,3} | \bsource\s{1,3} | (?:^|\s)\.\s{1,3} )
            ["']?(?: <\( | \$\( | ` )\s{0,3}(?:curl|wget)\b
          | \b(?:curl|wget)\s[^|\n]{4,200}?(?:&&|;)\s{0,3}(?:sudo\s{1,3})?
            (?: (?:ba|z|da|k)?sh\s{1,3}[\w./~-] | chmod\s{1,3}(?:[aug]{0,3}\+x|[75]55|777)\s[^\n]{1,80}?(?:&&|;)\s{0,3}(?:sudo\s{1,3})?(?:[./~]|(?:ba|z)?sh\s) )
          | \b(?:iwr|irm|invoke-webrequest|invoke-restmethod)\b[^|\n]{4,240}\|\s{0,3}(?:iex|invoke-expression)\b
          | \b(?:iex|invoke-expression)\b[^\n]{0,80}?(?:\b(?:iwr|irm)\b|invoke-webrequest|invoke-restmethod|downloadstring)
          | downloadstring\([^\n]{0,200}?\)\s{0,3}\|\s{0,3}iex\b
        "#,
    },
    Row {
        id: "command.reverse_shell",
        severity: Severity::High,
        what: "gives somebody far away a shell",
        anchors: &[
            "/dev/tcp/",
            "/dev/udp/",
            "nc -",
            "nc ",
            "ncat",
            "netcat",
            "mkfifo",
            "socat",
            "dup2",
            "sh -i",
            "fsockopen",
            "sockets.tcpclient",
            "pty.spawn",
        ],
        pattern: r#"(?x)
            [<>&]\s{0,3}/dev/(?:tcp|udp)/[\w.$\{]
          | \b(?:nc|ncat|netcat)\b[^|;\n]{0,80}?\s(?: -[a-z]{0,6}[ec] | --(?:sh-)?exec )\s{1,3}["']?[\w/\\.:]{0,24}(?:sh|cmd|cmd\.exe|powershell|powershell\.exe)\b
          | \bmkfifo\s[^\n]{0,160}?\b(?:nc|ncat|netcat)\b
          | \bsocat\b[^\n]{0,160}?\bexec:
          | \bos\.dup2\s{0,2}\([^\n]{0,160}?(?:subprocess|pty\.|/bin/|os\.system)
          | \b(?:ba|z|da|k)?sh\s{1,3}-i\s{0,3}[0-9]?[<>]{1,2}\s{0,2}&
          | fsockopen\s{0,2}\([^\n]{0,160}?\b(?:exec|shell_exec|system|proc_open|popen|passthru)\s{0,2}\(
          | net\.sockets\.tcpclient\s{0,2}\(
          | \bpty\.spawn\s{0,2}\(\s{0,2}\[?["'](?:/bin/|/usr/bin/)?(?:ba|z|da)?sh
        "#,
    },
    Row {
        id: "command.drop_table",
        severity: Severity::High,
        what: "destroys tables, databases or all rows of a table",
        anchors: &[
            "drop table",
            "drop  table",
            "drop database",
            "drop schema",
            "truncate table",
            "delete from",
            "xp_cmdshell",
            "drop\ttable",
            "drop\ntable",
            "drop/**/table",
            "dropdatabase",
        ],
        pattern: r#"(?x)
            \bdrop(?:\s|/\*\*/){1,4}(?:table|database|schema)(?:\s|/\*\*/){1,4}(?:if\s{1,3}exists\s{1,3})?
            [`"'\[]?\w[\w.$-]{0,80}[`"'\]]?(?:\s{0,3},\s{0,3}[\w.$]{1,40}){0,4}(?:\s{1,3}(?:cascade|restrict))?
            [\x20\t]{0,3}(?: ; | -- | [\r\n"'`)] | \z )
          | \btruncate\s{1,4}table\s{1,4}[`"'\[]?\w[\w.$-]{0,80}[`"'\]]?\s{0,3}(?: ; | -- | \z )
          | \bdelete\s{1,4}from\s{1,4}[`"'\[]?\w[\w.$-]{0,80}[`"'\]]?
            (?:\s{1,3}where\s{1,3}(?:1\s{0,2}=\s{0,2}1|true|'1'\s{0,2}=\s{0,2}'1'))?\s{0,3}(?: ; | -- | \z )
          | \bxp_cmdshell\s{0,3}[('"]
          | \bdropdatabase\s{0,2}\(\s{0,2}\)
        "#,
    },
    Row {
        id: "command.sql_injection",
        severity: Severity::Medium,
        what: "ends a quoted SQL value to say something else",
        anchors: &[
            "' or ", "\" or ", "'or ", "' and ", "') or ", ") union", "' union", "\" union", "1=1",
            "'--", "' --", "or \"", "or '",
        ],
        pattern: r#"(?x)
            ["']\)?\s{0,3}(?:or|and)\s{1,3}(?: ["']?(?:1|a|x)["']?\s{0,2}=\s{0,2}["']?(?:1|a|x)\b | true\s{0,2}(?:--|\#) )
          | ["']\s{0,3}or\s{1,3}(?:""|'')\s{0,2}=\s{0,2}["']
          | [a-z0-9]'\s{0,2}--[\x20\t]{0,3}(?:\z|\n)
          | ["')]\s{0,3}union\s{1,3}(?:all\s{1,3})?select\b
          | \bor\s{1,3}1\s{0,2}=\s{0,2}1\s{0,3}(?:--|\#|/\*|;|\z)
        "#,
    },
    Row {
        id: "command.open_permissions",
        severity: Severity::High,
        what: "opens a whole system to everybody, or makes a shell run as root",
        anchors: &["chmod ", "chown "],
        pattern: r#"(?x)
            \bchmod\s{1,4}(?:-{1,2}[a-z]{1,12}\s{1,4}){0,3}(?:0?777|a\+rwx|\+rwx|ugo\+rwx|000)\s{1,4}(?:-{1,2}[a-z]{1,12}\s{1,4}){0,3}
            (?: /\*? | /(?:bin|boot|dev|etc|home|lib|opt|root|sbin|usr|var)(?:/\*?)? | /etc/[\w./-]{1,40} | ~/?\*? )
            (?: [\s"'`;&|)\\<>,.\]\}] | \z )
          | \bchmod\s{1,4}(?:u?\+s|[42]7[0-9]{2})\s{1,4}(?:/usr)?(?:/local)?/bin/(?:ba|z|da)?sh\b
          | \bchown\s{1,4}-[a-z]{0,4}r[a-z]{0,4}\s{1,4}[\w:.-]{1,40}\s{1,4}/(?:bin|boot|etc|lib|usr|var)?/?\*?(?: [\s"'`;&|)] | \z )
        "#,
    },
    Row {
        id: "command.encoded_shell",
        severity: Severity::High,
        what: "runs a command that is written so that nobody can read it",
        anchors: &[
            "powershell",
            "pwsh",
            "base64 -",
            "base64 --",
            "xxd -",
            "b64 -d",
        ],
        pattern: r"(?x)
            \b(?:powershell|pwsh)(?:\.exe)?\s[^\n|]{0,160}?-e(?:c|n|nc|nco|ncod|ncode|ncoded|ncodedcommand)?\s{1,3}[a-z0-9+/=]{16}
          | \bbase64\s{1,3}(?:-d|-di|--decode)\b[^\n|;]{0,40}\|\s{0,3}(?:sudo\s{1,3})?(?:/bin/)?(?:(?:ba|z|da|k)?sh|python[23]?|perl)\b
          | \bxxd\s{1,3}-r[^\n|;]{0,40}\|\s{0,3}(?:sudo\s{1,3})?(?:(?:ba|z|da|k)?sh|python[23]?|perl)\b
        ",
    },
    Row {
        id: "command.eval_encoded",
        severity: Severity::High,
        what: "evaluates code that is written so that nobody can read it",
        anchors: &[
            "b64decode",
            "base64_decode",
            "atob(",
            "frombase64string",
            "gzinflate",
            "codecs.decode",
            "decompress(",
            "fromhex(",
            "marshal.loads",
            "unhexlify",
            "str_rot13",
            "fromcharcode",
            "base64",
        ],
        pattern: r#"(?x)
            \b(?:eval|exec|assert|function|iex|invoke-expression)\s{0,2}\(\s{0,2}[^\n;]{0,60}?
            (?: b64decode | base64_decode | \batob\( | frombase64string | gzinflate | codecs\.decode | \bdecompress\(
              | fromhex\( | marshal\.loads | unhexlify | str_rot13 | fromcharcode | buffer\.from\([^\n;]{0,200}?base64 )
        "#,
    },
    Row {
        id: "command.escape_sandbox",
        severity: Severity::Medium,
        what: "reaches for the system from inside an expression or a template",
        anchors: &[
            "__import__",
            "__subclasses__",
            "__globals__",
            "__builtins__",
            "getruntime()",
            "process.binding",
        ],
        pattern: r#"(?x)
            __import__\s{0,2}\(\s{0,2}["'](?:os|subprocess|pty|socket|shutil|builtins|ctypes|importlib)["']
          | __class__[^\n]{0,60}?__subclasses__\s{0,2}\(
          | \.__(?:globals|builtins)__\s{0,2}(?:\[|\.get\b)
          | getruntime\(\)\s{0,2}\.exec\s{0,2}\(
          | process\.binding\s{0,2}\(\s{0,2}["']spawn_sync
        "#,
    },
    Row {
        id: "command.windows_destroy",
        severity: Severity::High,
        what: "removes a Windows drive, its backups or its logs",
        anchors: &[
            "del /",
            "erase /",
            "rd /",
            "rmdir /",
            "remove-item",
            "vssadmin",
            "wbadmin",
            "bcdedit",
            "wevtutil",
            "reg delete",
        ],
        pattern: r#"(?x)
            \b(?:del|erase)\s{1,3}(?:/[a-z]\s{0,3}){1,4}["']?(?:[a-z]:\\?(?:\*(?:\.\*)?|windows|users)?|%(?:systemdrive|systemroot|userprofile|windir)%)
          | \b(?:rd|rmdir)\s{1,3}(?:/[a-z]\s{0,3}){1,3}["']?(?:[a-z]:\\?(?:windows|users)?["']?(?:[\s;&|]|\z)|%(?:systemdrive|systemroot|userprofile|windir)%)
          | \bremove-item\b[^\n;|]{0,80}?(?:["'\s][a-z]:\\(?:\*|windows|users)?["']?(?:[\s;|]|\z)|\$env:(?:systemdrive|systemroot|userprofile))
          | \bvssadmin(?:\.exe)?\s{1,3}delete\s{1,3}shadows
          | \bwbadmin(?:\.exe)?\s{1,3}delete\s{1,3}(?:catalog|systemstatebackup|backup)
          | \bbcdedit(?:\.exe)?\s[^\n]{0,60}?recoveryenabled\s{1,3}no
          | \bwevtutil(?:\.exe)?\s{1,3}(?:cl|clear-log)\s
          | \breg(?:\.exe)?\s{1,3}delete\s{1,3}["']?hk(?:lm|ey_local_machine)\b
        "#,
    },
    Row {
        id: "command.shut_down",
        severity: Severity::Medium,
        what: "stops the machine or every process on it",
        anchors: &[
            "shutdown -",
            "shutdown /",
            "shutdown now",
            "kill -9 -1",
            "kill -kill -1",
            "init 0",
            "poweroff",
            "systemctl halt",
            "systemctl reboot",
            "reboot -f",
            "stop-computer",
        ],
        pattern: r"(?x)
            \bshutdown(?:\.exe)?\s{1,3}(?: (?:-[hrpHP]{1,2}|/[srp])\b | now\b )
          | \bkill\s{1,3}-(?:9|kill)\s{1,3}-1\b
          | (?:^|[\n;&|`]|\bsudo\s{1,3})\s{0,3}(?:init\s{1,3}0\b|poweroff\b(?:\s{1,3}-f)?(?:[\s;&|`]|\z))
          | \bsystemctl\s{1,3}(?:poweroff|halt|reboot)\b
          | \breboot\s{1,3}-f\b
          | \bstop-computer\s{1,3}-force\b
        ",
    },
    Row {
        id: "command.take_over",
        severity: Severity::High,
        what: "lets somebody in for good, or takes protection away",
        anchors: &[
            "authorized_keys",
            "/etc/passwd",
            "/etc/shadow",
            "/etc/sudoers",
            "/etc/cron",
            "ld.so.preload",
            "nopasswd",
            "iptables -f",
            "iptables --flush",
            "setenforce 0",
            "ufw disable",
            "disablerealtimemonitoring",
        ],
        pattern: r#"(?x)
            (?: >{1,2} | \btee\s{1,3}(?:-a\s{1,3})? )\s{0,3}["']?
            (?: (?:~|\$\{?home\}?|/root|/home/[\w.-]{1,32})/\.ssh/authorized_keys
              | /etc/(?:passwd|shadow|sudoers|cron|ld\.so\.preload) )
          | \ball\s{0,3}=\s{0,3}\(all(?:\s{0,2}:\s{0,2}all)?\)\s{0,3}nopasswd\s{0,2}:\s{0,3}all\b
          | \biptables\s{1,3}(?:-f|--flush)(?:[\s;&|"'`]|\z)
          | \bsetenforce\s{1,3}0\b
          | \bufw\s{1,3}disable\b
          | disablerealtimemonitoring\s{1,3}\$?(?:true|1)\b
        "#,
    },
];
