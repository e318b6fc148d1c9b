//! Text written to make a model leave its instructions: a verb with its object, tokens of chat templates, known personas.

use super::super::level::{Severity, category};
use super::Row;

pub(super) const CATEGORY: &str = category::PROMPT_MANIPULATION;

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "prompt.override",
        severity: Severity::Medium,
        what: "tells a model to leave the instructions it was given",
        anchors: &[
            "ignor",
            "disregard",
            "forget",
            "overrid",
            "overwrit",
            "bypass",
            "discard",
            "abandon",
            "neglect",
            "circumvent",
            "not follow",
            "n't follow",
            "stop follow",
            "not obey",
            "n't obey",
            "stop obey",
            "no longer follow",
            "no longer obey",
            "not adhere",
            "notfollow",
            "cease follow",
            "cease obey",
            "to follow",
            "listen to",
            "disabl",
            "turn off",
            "switch off",
            "deactivat",
            "violat",
            "break your",
        ],
        // No word borders and no blanks between the parts: letters set apart come without them. From the narrow to the wide:
        // earlier instructions of any name; "your" or "all" instructions of a name that little else has; "everything above".
        pattern: r"(?x)
            (?: ignor(?:e|ing) | disregard(?:ing)? | forget(?:ting)? | overrid(?:e|ing) | overwrit(?:e|ing)
              | bypass(?:ing)? | discard(?:ing)? | abandon(?:ing)? | neglect(?:ing)? | circumvent(?:ing)?
              | (?: (?:do\W{0,2}|must\W{0,2}|should\W{0,2}|will\W{0,2}) n(?:o|')?t | stop | no\W{0,2}longer | cease )\W{0,3}
                (?: (?:need|have)\W{1,3}to\W{1,3} )?
                (?: follow(?:ing)? | obey(?:ing)? | adher(?:e|ing)\W{0,2}to | comply(?:ing)?\W{0,2}with | listen(?:ing)?\W{0,2}to )
            )
            (?:
                [^.!?;]{0,40}?
                (?: previous | prior | above | earlier | preceding | foregoing | initial | original | system | developer | operator | \blast )
                [^.!?;]{0,24}?
                (?: instruction | prompt | directi(?:ve|on) | guideline | guidance | guard\W?rail | rule | command | order | constraint | restriction
                  | programming | training | message | conversation | context | polic(?:y|ie) | text | request )s?
              |
                \W{0,3} (?: (?:all|any|every|each|your|the|these|those|this|my|of|and|other|current|safety|ethical|content|moral|own|security|default|openai|anthropic|company|'?s) \W{0,3} ){1,5}
                (?: instructions | directives | guidelines | guard\W?rails | rules\b | system\W?prompt | programming | restrictions | training
                  | safeguards | safety\W{0,2}(?:rules|measures|filters?|protocols|mechanisms|polic(?:y|ies))
                  | (?:content|moderation)\W{0,2}(?:filters?|polic(?:y|ies)|moderation) )
              |
                \W{0,3} (?:your|openai|anthropic|google|microsoft)(?:\W?s)? \W{0,3} (?:(?:content|usage|safety)\W{0,3})? polic(?:y|ies)
              |
                \W{0,3} (?: all | everything | anything | what(?:ever)? ) \W{0,3}
                (?: that\W{0,3} )? (?: of\W{0,3} )? (?: (?:was|is|came)\W{0,3} )?
                (?: above | before\W{0,3}(?:this|that|now) | said\W{0,3}(?:above|before|earlier) | written\W{0,3}(?:above|before)
                  | you\W{0,4}(?:have\W{0,3}|ha?ve\W{0,3}|were\W{0,3}|are\W{0,3})?(?:been\W{0,3})?(?:told|instructed|taught|asked\W{0,3}to|programmed)
                  | (?:i|we|they)\W{0,4}(?:have\W{0,3}|ve\W{0,3})?(?:just\W{0,3})?(?:told\W{0,3}you|said)
                  | \W{0,3}and\W{0,3}start\W{0,3}(?:over|again|afresh) )
              |
                \W{0,3} (?:the|all)\W{0,3}above \W{0,3} (?:and|instead|then)\b \W{0,3} (?:instead\W{0,3})?
                (?: say | output | print | tell | return | write | respond | reply | answer | translate | do | give | show | execute | run | act )\b
              |
                \W{0,3} (?:all\W{0,3})? (?:your\W{0,3}|the\W{0,3}) (?:previous|old|prior|former)\W{0,3} (?:role|task|persona|identity|goal|job)
            )
          | \b(?: disabl(?:e|ing) | turn(?:ing)?\W{1,3}off | switch(?:ing)?\W{1,3}off | deactivat(?:e|ing) | violat(?:e|ing) | break )
            \W{1,3} (?:(?:all|any|of)\W{1,3}){0,2} your \W{1,3}
            (?: (?:own|ethical|moral|content|safety|security|internal|openai|built-in)\W{1,3} ){0,3}
            (?: guidelines | rules | restrictions | guard\W?rails | safeguards | programming | polic(?:y|ies)
              | (?:safety|content|ethical|moral|moderation)\W{1,3}(?:filters?|protocols?|measures|settings|limits|checks) )
        ",
    },
    Row {
        id: "prompt.revoke",
        severity: Severity::Medium,
        what: "declares a model's instructions void",
        anchors: &[
            "void",
            "cancelled",
            "canceled",
            "obsolete",
            "superseded",
            "overrid",
            "revoked",
            "lifted",
            "be disregarded",
            "are ignored",
            "are disregarded",
            "suspended",
            "rescinded",
            "no longer appl",
            "no longer valid",
            "no longer bind",
            "not apply any",
            "been overwritten",
            "been replaced",
            "been erased",
            "been deleted",
        ],
        pattern: r"(?x)
            (?: (?:previous|prior|above|earlier|preceding|foregoing|your|safety|initial|original) (?: \W{1,3}[a-z]{1,16} ){0,2}? \W{1,3} )
            (?: instruction | prompt | directive | guideline | guard\W?rail | rule | restriction | constraint | polic(?:y|ie) | safeguard )s?
            \W{1,3} (?: [a-z]{1,16}\W{1,3} ){0,5}?
            (?: (?:are|is|be|been|was|were)\W{1,3}(?: (?:now|hereby|to|be|all|officially|therefore|temporarily|null|and)\W{1,3} ){0,4}
                (?:void|cancell?ed|obsolete|superseded|overrid(?:den|e)|overwritten|replaced|erased|deleted|revoked|lifted|ignored|disregarded|suspended|rescinded)
              | no\W{1,3}longer\W{1,3}(?:appl|valid|bind)
              | (?:do|does)\W{1,3}not\W{1,3}apply\W{1,3}any )
        ",
    },
    Row {
        id: "prompt.new_instructions",
        severity: Severity::Medium,
        what: "puts other instructions in the place of those a model was given",
        anchors: &[
            "new instruction",
            "new rules",
            "new directive",
            "new system prompt",
            "new role",
            "new objective",
            "new task",
            "new goal",
            "new identity",
            "new order",
            "real task",
            "real instruction",
            "updated instruction",
            "actual task",
            "true task",
        ],
        pattern: r"(?x)
            \b(?: your | here\W{0,2}(?:are|is)\W{1,3}(?:your|the) | follow\W{1,3}(?:these|this|my|the|only) | these\W{1,3}are\W{1,3}(?:your|the)
                | obey\W{1,3}(?:these|my|the) | you\W{1,3}(?:now\W{1,3})?have ) \W{1,3}
            (?: (?:a|only|following)\W{1,3} ){0,2}
            (?:new|real|updated|actual|true)\W{1,3}
            (?: (?:instructions?|rules|directives?|system\W?prompt|role|objectives?|task|goal|identity|orders) )
            \W{0,3}(?: \b(?:are|is|will\W{1,3}be|now|from\W{1,3}now|as\W{1,3}follows|instead)\b | : )
          | \bnew\W{1,3}(?:instructions?|rules|orders|directives?)\W{0,3}:\W{1,4}(?:from\W{1,3}now\W{1,3}on\W{1,3})?(?:you\b|ignore|forget|disregard|act\b|do\W{1,3}not\b|always\b|never\b)
        ",
    },
    Row {
        id: "prompt.reveal",
        severity: Severity::Medium,
        what: "asks for the instructions a model was given",
        anchors: &[
            "system prompt",
            "system message",
            "system instruction",
            "initial instruction",
            "initial prompt",
            "hidden instruction",
            "hidden prompt",
            "secret instruction",
            "original instruction",
            "original prompt",
            "your instructions",
            "your prompt",
            "your rules",
            "your guidelines",
            "preprompt",
            "pre-prompt",
            "words above",
            "text above",
            "everything above",
            "developer message",
            "previous instructions",
            "your initial",
            "systemprompt",
            "your full",
            "before this",
            "preceding this",
            "prior to this",
            "were you told",
        ],
        pattern: r"(?x)
            (?: reveal | show | print | repeat | output | display | tell\W{1,3}(?:me|us) | give\W{1,3}(?:me|us) | leak | expose | disclose
              | dump | recite | write\W{1,3}(?:out|down) | return | share | summari[sz]e | translate | copy | spell\W{1,3}out | list | quote
              | what\W{0,2}(?:is|are|were|was|s|re)\b | encode )
            \W{0,3} (?: (?:me|us|back|verbatim|exactly|all|of|out|wording|your\W{1,3}first|word|for|the|full|entire|complete|exact|contents?|text|first|precise|literally) \W{0,3} ){0,6}
            (?: your\W{0,3} (?: (?:full|entire|complete|exact|current|own|internal|secret|hidden|initial|original|first|very|previous|whole|base|and) \W{0,3} ){0,3}
                (?: system\W{0,2}(?:prompt|message|instructions?) | pre-?prompt | instructions | prompt\b | guidelines | developer\W{0,2}message )
              | (?: (?:hidden|secret|initial|original|confidential|internal) \W{0,3} ){1,2} (?: system\W{0,2} )? (?: prompt | instructions | pre-?prompt )
              | (?: words | text | everything | lines | sentences | instructions | prompt | message ) \W{0,3}
                (?: above\b | (?:before|preceding|prior\W{1,2}to)\W{1,3}this\W{1,3}(?:line|sentence|message|point|prompt|conversation|word) )
            )
          | \b(?: reveal | leak | disclose | expose | repeat | recite ) \W{1,3} (?: (?:the|full|entire|complete|exact|verbatim|contents?|of) \W{1,3} ){0,4}
            (?: system\W{0,2}(?:prompt|message|instructions) | developer\W{0,2}message )
          | \b(?: tell | give | show ) \W{1,3} (?:me|us) \W{1,3} (?: (?:the|full|entire|complete|exact|whole|contents?|text|wording|of) \W{1,3} ){1,5}
            system\W{0,2}(?:prompt|message|instructions) \b
          | \bwhat\W{1,3}were\W{1,3}you\W{1,3}(?:told|instructed)\W{1,3}(?:to\W{1,3}do\W{1,3})?before\W{1,3}(?:this|the|our)\b
        ",
    },
    Row {
        id: "prompt.persona",
        severity: Severity::Medium,
        what: "gives a model a part to play that knows no rules",
        anchors: &[
            "do anything now",
            "doanythingnow",
            "dan mode",
            "as dan",
            "are dan",
            "'re dan",
            "now dan",
            "be dan",
            "become dan",
            "called dan",
            "named dan",
            "developer mode",
            "jailbr",
            "unrestricted",
            "unfiltered",
            "uncensored",
            "amoral",
            "no restriction",
            "no rules",
            "no limit",
            "no filter",
            "no ethic",
            "no moral",
            "no guideline",
            "not bound by",
            "free from",
            "freed from",
            "free of",
            "without restriction",
            "without any",
            "without filter",
            "without ethic",
            "without moral",
            "god mode",
            "opposite mode",
            "evil",
            "no longer bound",
            "no content polic",
            "without guideline",
        ],
        pattern: r"(?x)
            do\W{0,2}anything\W{0,2}now
          | \bdan\W{1,2}mode\b
          | \b(?: as | you(?:\W{1,3}are|'re)(?:\W{1,3}now)? | become | be | called | named ) \W{1,3} (?-i:DAN)\b
          | \b(?:developer|god|jailbreak|jailbroken|opposite|unrestricted|unfiltered|uncensored|evil)\W{1,2}mode\W{1,3}(?:is\W{1,3})?(?:now\W{1,3})?(?:enabled|activated|unlocked|engaged|on\b(?:[\W]|\z))
          | \b(?:enter|enable|activate|switch\W{1,3}(?:in)?to|switch\W{1,3}on|turn\W{1,3}on|unlock|engage|you(?:\W{1,3}are|'re)(?:\W{1,3}now)?\W{1,3}in)\W{1,3}(?:the\W{1,3}|your\W{1,3}|an?\W{1,3})?
            (?:god|jailbreak|jailbroken|opposite|unrestricted|unfiltered|uncensored|evil)\W{1,2}mode\b
          | \byou(?:\W{1,3}are|'re)(?:\W{1,3}now)?\W{1,3}in\W{1,3}developer\W{1,2}mode\b
          | \b(?: act\W{1,3}(?:as|like) | you(?:\W{1,3}are|'re)(?:\W{1,3}now)? | you\W{1,3}(?:will|must)\W{1,3}(?:act|be|play) | pretend(?:\W{1,3}to\W{1,3}be)? | role\W?play(?:ing)?\W{1,3}as | behave\W{1,3}(?:as|like) | become | simulate | play(?:ing)?\W{1,3}the\W{1,3}(?:part|role)\W{1,3}of )
            \W{1,3}(?: [a-z]{1,12}\W{1,3} ){0,4}?
            (?: unrestricted | unfiltered | uncensored | jailbroken | amoral | evil ) \W{1,3}(?:[a-z-]{1,16}\W{1,3}){0,2}?(?:ai|assistant|model|chatbot|bot|language|version|persona|twin|agent|llm|gpt)\b
          | \b(?: act | answer | respond | reply | behave | operate | speak | pretend | roleplay | continue | you\W{1,3}(?:are|have|can|will|now|must|should)(?:\W{1,3}now)? )\b
            [^.!?;]{0,60}?
            \b(?: (?:no|without)\W{1,3}(?:any\W{1,3})?(?:[a-z]{2,12}\W{1,3}(?:or|and)\W{1,3})?(?:(?:ethical|moral|content|safety|legal|censorship|built-in|such|more)\W{1,3}(?:(?:or|and)\W{1,3}[a-z]{2,12}\W{1,3})?){0,2}
                  (?:restrictions|rules|limits|limitations|filters|filtering|guidelines|guardrails|ethics|morals|censorship|polic(?:y|ies)|constraints|boundaries)
                | (?:not|no\W{1,3}longer|never)\W{1,3}bound\W{1,3}by
                | free(?:d)?\W{1,3}(?:from|of)\W{1,3}(?:all\W{1,3}|any\W{1,3}|your\W{1,3}|the\W{1,3})?(?:ethical\W{1,3}|moral\W{1,3}|content\W{1,3}|safety\W{1,3}|openai\W{1,4}s?\W{0,3})?(?:restrictions|rules|limits|limitations|filters|guidelines|constraints|polic(?:y|ies)) )
            \b
          | \bjailbreak\W{1,3}(?:yourself|the\W{1,3}(?:ai|model|assistant|llm|chatbot)|prompt\W{0,3}:|this\W{1,3}(?:ai|model|assistant))
        ",
    },
    Row {
        id: "prompt.template_token",
        severity: Severity::Medium,
        what: "a token by which chat templates tell whose words follow",
        anchors: &[
            "<|",
            "[inst]",
            "[/inst]",
            "<<sys>>",
            "<</sys>>",
            "<start_of_turn>",
            "<end_of_turn>",
        ],
        pattern: r"(?x)
            <\| (?: im_(?:start|end|sep) | system | user | assistant | tool | developer | end | start | channel | message | return | call
                  | end_?of_?text | begin_of_text | e(?:ot|om)_id | (?:start|end)_header_id | endofprompt | python_tag
                  | (?:start|end)_of_(?:turn|role) | (?:begin|end)\xe2\x96\x81of\xe2\x96\x81sentence ) \|>
          | \[/?inst\]
          | <</?sys>>
          | <(?:start|end)_of_turn>
        ",
    },
    Row {
        id: "prompt.authority",
        severity: Severity::Medium,
        what: "speaks as if it were the system or its administrator",
        anchors: &[
            "system override",
            "admin override",
            "administrator override",
            "developer override",
            "security override",
            "override code",
            "override:",
            "override mode",
            "system:",
            "system]",
            "system>",
            "system message",
            "system prompt",
            "system not",
            "system update",
            "system alert",
            "admin:",
            "admin]",
            "admin message",
            "admin note",
            "developer:",
            "developer]",
            "developer message",
            "developer note",
        ],
        pattern: r"(?x)
            \b(?:system|admin|administrator|developer|security|emergency)\W{1,2}override\b\W{0,3}(?:[:!\]\*]|code|mode|accepted|activated|engaged|initiated|enabled)
          | (?:^|[\n\[<*\#])\W{0,4}(?:system|admin|developer)\b\W{0,2}(?:\W?(?:message|prompt|note|notice|update|alert)\W{0,3})?[:\]>][\W]{0,4}
            (?:(?:you\W{1,3}(?:must|will|are\W{1,3}now|should|can)\W{1,3}(?:now\W{1,3})?)?(?:ignore|disregard|override|bypass|forget|unrestricted|reveal|comply)
              | (?:all\W{1,3})?(?:safety|restrictions|filters|previous\W{1,3}instructions|guardrails))\b
        ",
    },
    Row {
        id: "prompt.override_translated",
        severity: Severity::Medium,
        what: "tells a model to leave its instructions, in another language",
        anchors: &[
            "ignor",
            "vergiss",
            "olvid",
            "oubli",
            "esquec",
            "dimentic",
            "missacht",
            "忽略",
            "忽视",
            "无视",
            "無視",
            "игнориру",
            "забуд",
            "무시",
        ],
        // As the rules read them: accents are gone, so Russian short i is written as i. German, Spanish and Portuguese, French, Italian,
        // Russian, Chinese, Japanese, Korean.
        pattern: r"(?x)
            (?: ignorier(?:e|en|t) | vergiss | vergesst | missachte )[^.!?;]{0,40}?(?:anweisung|instruktion|vorgabe|regeln|befehle)
          | (?: ignor(?:a|e|ar|ad|en) | olvid(?:a|e|ar|en) | esquec(?:a|er) )[^.!?;]{0,30}?(?:instruccion|instrucoes|ordenes|ordens|reglas|regras|indicacion)[^.!?;]{0,30}?(?:anterior|previa|recibid|sistema)
          | (?: ignor(?:e|ez|er) | oubli(?:e|ez|er) )[^.!?;]{0,30}?(?:instructions|consignes|regles|directives)[^.!?;]{0,20}?(?:precedent|anterieur|ci-dessus|initial)
          | (?: ignor(?:a|ate|are) | dimentic(?:a|ate|are) )[^.!?;]{0,30}?(?:istruzioni|regole|direttive)[^.!?;]{0,20}?(?:precedent|iniziali|sistema)
          | (?: игнорируи | забудь )[^.!?;]{0,60}?(?:инструкци|указани|правил)
          | (?: 忽略 | 忽视 | 无视 | 無視 )[^.!?;]{0,36}?(?: 指令 | 指示 | 提示 | 规则 | 說明 | 说明 )
          | (?: 指示 | 命令 | ルール | 指令 )[^.!?;]{0,24}?(?:を|は)?(?:すべて|全て)?無視
          | (?: 지시 | 명령 | 규칙 | 지침 )[^.!?;]{0,24}?무시
        ",
    },
];
