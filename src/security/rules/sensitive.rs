//! Reaching for credentials and the files they are in.

use super::super::level::{Severity, category};
use super::Row;

pub(super) const CATEGORY: &str = category::SENSITIVE_DATA;

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "sensitive.system_files",
        severity: Severity::Medium,
        what: "a file with a system's passwords or a process's environment",
        anchors: &[
            "etc/shadow",
            "etc/gshadow",
            "etc/sudoers",
            "etc/master.passwd",
            "etc/passwd",
            "system32\\config",
            "system32/config",
            "ntds.dit",
            "/environ",
        ],
        // The list of users is public: it counts where somebody reads it or climbs to it.
        pattern: r#"(?x)
            /etc/(?:shadow|gshadow|sudoers|master\.passwd)\b
          | (?: \.\./ | file:/{1,3} | \b(?:cat|less|more|head|tail|cp|scp|nano|vi|vim|grep|awk|cut|xxd|type|read|open|readfile|read_file)\b[\s("'][^\n;|]{0,40}? )etc/passwd\b
          | system32[\\/]{1,2}config[\\/]{1,2}(?:sam|system|security)\b
          | \bntds\.dit\b
          | /proc/(?:self|\d{1,7}|\*)/environ\b
        "#,
    },
    Row {
        id: "sensitive.private_keys",
        severity: Severity::Medium,
        what: "a private key of a user",
        anchors: &[
            ".ssh/id_",
            ".ssh\\id_",
            ".ssh/identity",
            ".gnupg/",
            "etc/ssl/private",
            "ssh_host_",
        ],
        pattern: r#"(?x)
            \.ssh[/\\]{1,2}(?: id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)? | identity )(?: [^.\w-] | \.[^p] | \.?\z )
          | \.gnupg/(?:private-keys|secring)
          | /etc/ssl/private/\w
          | /etc/ssh/ssh_host_\w{2,8}_key(?: [^.\w] | \.?\z )
        "#,
    },
    Row {
        id: "sensitive.credential_files",
        severity: Severity::Medium,
        what: "a file with credentials of a cloud, a registry or a database",
        anchors: &[
            ".aws/credentials",
            ".aws\\credentials",
            ".git-credentials",
            ".pgpass",
            ".kube/config",
            ".docker/config.json",
            "application_default_credentials",
            "accesstokens.json",
            ".netrc",
            ".env",
            "wallet.dat",
        ],
        pattern: r#"(?x)
            \.aws[/\\]{1,2}credentials\b
          | [/\\~]\.git-credentials\b
          | [/\\~]\.pgpass\b
          | application_default_credentials\.json
          | \.azure[/\\]{1,2}accesstokens\.json
          | \bbitcoin[/\\]{1,2}wallet\.dat\b
          | \b(?:cat|less|more|head|tail|cp|scp|type|base64|xxd|strings|grep|read|open|read_file|readfile)\b[\s("'][^\n;|]{0,40}?
            (?: \.kube/config | \.docker/config\.json | \.netrc | [\s/"']\.env(?:\.(?:local|production|prod))? )(?: [^.\w-] | \.?\z )
        "#,
    },
    Row {
        id: "sensitive.metadata_service",
        severity: Severity::Medium,
        what: "the address a cloud hands out a machine's credentials at",
        anchors: &[
            "169.254.169.254",
            "169.254.170.2",
            "metadata.google.internal",
            "100.100.100.200",
            "fd00:ec2::254",
            "2852039166",
            "0xa9fea9fe",
        ],
        pattern: r"(?x)
            \b169\.254\.(?:169\.254|170\.2)\b
          | \bmetadata\.google\.internal\b
          | \b100\.100\.100\.200\b
          | \bfd00:ec2::254\b
          | //2852039166\b
          | //0xa9fea9fe\b
        ",
    },
    Row {
        id: "sensitive.exfiltration",
        severity: Severity::High,
        what: "sends files or the environment to somebody",
        anchors: &["curl", "wget", "nc ", "ncat", "scp ", "netcat"],
        pattern: r#"(?x)
            \b(?: cat\s{1,3}[^\n|;]{1,80} | printenv\s{0,3} | env\s{0,3} | history\s{0,3} | tar\s{1,3}c[^\n|;]{1,80} )\|\s{0,3}
            (?: (?:base64|gzip|xxd|openssl)\b[^\n|;]{0,40}\|\s{0,3} ){0,2}
            (?: curl\b[^\n|;]{0,120}?(?:-d|--data(?:-binary|-raw|-urlencode)?|-f|--form|-t|--upload-file)\b | (?:nc|ncat|netcat)\s{1,3}[\w.-]{3,80}\s{1,3}\d )
          | \bcurl\b[^\n|;]{0,160}?(?:-d|--data(?:-binary|-raw|-urlencode)?|-f|--form|-t|--upload-file)[\s="']{0,4}[^\n|;]{0,24}?@?
            (?: ~|\$\{?home\}?|/root|/home/[\w.-]{1,32} )?/?(?: /etc/(?:passwd|shadow) | \.ssh/ | \.aws/ | \.env\b | \.kube/ | \.gnupg/ )
          | \bcurl\b[^\n;]{0,160}?\$\(\s{0,2}(?:cat|printenv|env|base64)\b
          | \bwget\b[^\n|;]{0,160}?--post-(?:file|data)[=\s]{1,3}["']?(?:\$\(\s{0,2}(?:cat|env|printenv)|(?:~|/root|/home/[\w.-]{1,32})?/?(?:/etc/|\.ssh/|\.aws/|\.env\b))
          | \bscp\s[^\n|;]{0,80}?(?:/etc/shadow|\.ssh/id_|\.aws/credentials)[^\n|;]{0,40}?\s[\w.-]{1,40}@
        "#,
    },
    Row {
        id: "sensitive.ask_for_secrets",
        severity: Severity::Medium,
        what: "asks a model for credentials, or to send them somewhere",
        anchors: &[
            "api key",
            "api-key",
            "api_key",
            "apikey",
            "password",
            "credential",
            "secret",
            "environment variable",
            "access token",
            "private key",
            "chat history",
            "conversation",
            "env var",
        ],
        pattern: r"(?x)
            \b(?: reveal | show\W{1,3}(?:me|us) | print | output | tell\W{1,3}(?:me|us) | give\W{1,3}(?:me|us) | leak | dump | send\W{1,3}(?:me|us) | list\W{1,3}(?:me|us) | list | disclose | share )
            \W{1,3}(?: (?:all|any|every|of|the|stored|saved|known|full)\W{1,3} ){0,4}
            (?: your | (?:the|all|any)\W{1,3}(?:of\W{1,3}the\W{1,3})?(?:stored|users?\W{1,4}s?|customers?\W{1,4}s?|admin(?:istrator)?(?:\W{1,2}s)?|database|system|server|hidden|other\W{1,3}users?\W{1,4}s?)
              | (?:stored|hidden)\W{1,3}(?:in\W{1,3}your|by\W{1,3}you) )
            \W{1,3}(?: [a-z]{1,14}\W{1,3} ){0,3}?
            (?: api\W?keys? | passwords? | credentials? | secrets | secret\W{0,2}keys? | environment\W{0,2}variables? | env\W{0,2}vars? | access\W{0,2}tokens? | private\W{0,2}keys? )\b
          | \b(?: reveal | show | print | output | tell | give | leak | dump | list ) \W{1,3} (?:(?:me|us)\W{1,3})? (?:all|every|any)\W{1,3}(?:of\W{1,3})?(?:the\W{1,3})?
            (?: api\W?keys? | passwords? | credentials? | secrets? | access\W{0,2}tokens? ) \W{1,3} (?:that\W{1,3})? you \W{0,3} (?:know|have|ve|can|were|store|remember)
          | \b(?: send | post | forward | e-?mail | upload | leak | transmit | exfiltrate ) \W{1,3}
            (?: [a-z']{1,14}\W{1,3} ){0,6}?
            (?: conversation | chat\W{0,2}history | api\W?keys? | credentials? | passwords? | secrets | environment\W{0,2}variables? | private\W{0,2}keys? )
            (?: \W{1,3}[a-z]{1,14} ){0,4}? \W{1,3} to \W{1,3}
            (?: https?: | [\w.+-]{1,40}@\w | www\. | (?:this|the\W{1,3}following|my)\W{1,3}(?:url|address|server|webhook|e-?mail|endpoint) )
        ",
    },
];
