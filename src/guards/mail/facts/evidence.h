#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/facts/envelope.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/message.h"

/// All that is drawn from a message before anybody judges: facts, not opinions.
namespace hygie::mail {

struct History;

struct Link {
    LinkKind kind = LinkKind::Anchor;
    std::string target;        ///< as written
    std::string shown;         ///< as shown
    std::string scheme;        ///< lower case
    std::string host;          ///< lower case, IDNA decoded to UTF-8
    std::string domain;        ///< registrable domain of the host; the address itself for an IP
    std::string path;          ///< path and query
    std::string shown_domain;  ///< registrable domain that the shown text names, empty for none
    std::string final_domain;  ///< what a redirector's parameter leads to, else `domain`
    std::string brand;         ///< brand id that owns `final_domain`, empty for none
    std::string shown_brand;   ///< brand named by the shown text or the path
    LookAlike look_alike;      ///< of the domain
    bool is_ip = false;
    bool is_punycode = false;
    bool is_shortener = false;
    bool is_redirector = false;  ///< an open redirector or click counter with a target inside
    bool is_detour = false;      ///< a search engine or a translator stands in front
    bool is_free_host = false;   ///< anybody can publish there: web.app, pages.dev, …
    bool has_user_info = false;  ///< user@host to hide the host
    bool has_recipient = false;  ///< carries the recipient's address (also in base64)
    bool has_recipient_after_hash = false;  ///< … behind a #, where no server reads it
    bool from_qr = false;                   ///< read from a QR code
    std::string where;                      ///< "html", "text", "attachment:NAME"
};

/// A brand of the data pack named by the message.
struct BrandMention {
    std::string id;
    std::string name;
    std::string category;          ///< "health", "public", "bank", "delivery", "tech", "shop", …
    bool in_sender = false;        ///< display name or address of From
    bool is_whole_sender = false;  ///< the display name says nothing else
    bool in_subject = false;
    bool in_text = false;
    std::string evidence;          ///< the words as they stand
    bool sender_is_brand = false;  ///< From is one of its real domains
};

struct Iban {
    std::string value;     ///< without blanks, upper case
    std::string evidence;  ///< as it stands
    std::string country;
    std::string where;
    bool is_valid = false;  ///< checksum and length
};

struct Phone {
    std::string value;        ///< digits, with + when international
    std::string evidence;     ///< as it stands
    bool call_asked = false;  ///< a request to call stands near it
    std::string where;
};

struct CryptoAddress {
    std::string value;
    std::string where;
    bool is_valid = false;  ///< its checksum holds; else it only has the shape
};

/// What the words of a message want from its reader: groups of phrases of data/lures.txt, in that
/// order. Words alone never decide.
enum class Lure : std::uint8_t {
    Credential,
    Threat,
    Urgency,
    Click,
    PaymentChange,
    PaymentRequest,
    Secrecy,
    BecOpener,
    GiftCard,
    Call,
    SupportAlert,
    Charge,
    Extortion,
    DataRequest,
    Delivery,
    Refund,
    Health,
    Document,
    Attachment,
    GenericGreeting,
    Prize,
    AdvanceFee,
    SpamInvest,
    SpamGoods,
    Mailing,
    Identify,  ///< to sign in, by whatever verb: counts beside facts alone
    Secret,    ///< to give a password or the account of the mailbox
    Opened,    ///< tells of an account just opened: excuses words of signing in, nothing else
    House,     ///< speaks as a department of the reader's own house: counts beside facts alone
};
inline constexpr std::size_t kLures = 29;
/// "credential", "payment_change", …
std::string_view name_of(Lure lure);
bool lure_named(std::string_view name, Lure& out);

/// How often a lure speaks, and the first words of it as they stand.
struct LureFacts {
    std::size_t phrases = 0;  ///< different phrases
    bool in_subject = false;
    std::string evidence;
    std::string where;
};

/// What a file can do once opened. Named after what the reader would meet.
enum class Capability : std::uint8_t {
    Executable,        ///< a program for the machine: PE, ELF, Mach-O, JAR, MSI, APK
    Script,            ///< JS, VBS, WSF, HTA, PS1, BAT, …
    Macro,             ///< VBA or XLM macros
    MacroAutoRun,      ///< … that start when the file is opened
    ExternalTemplate,  ///< loads a template or an object from elsewhere
    EmbeddedObject,    ///< an OLE package or program inside a document
    Dde,               ///< DDE field or formula
    Shortcut,          ///< LNK, URL, SCF, library-ms, …
    DiskImage,         ///< ISO, IMG, VHD, VHDX, UDF
    HtmlSmuggling,     ///< HTML that makes a file by script
    HtmlForm,          ///< HTML attachment with a form that sends data away
    HtmlScript,        ///< HTML attachment with script that redirects or decodes itself
    OneNoteFile,       ///< OneNote with a file inside
    SvgScript,
    PdfJavaScript,
    PdfLaunch,         ///< PDF that starts a program or opens an embedded file
    PdfEmbedded,       ///< PDF with a file inside
    PdfPageLink,       ///< a page of a PDF that is hardly more than one link
    PictureText,       ///< a picture or a drawn page that says something
    ArchiveEncrypted,  ///< a password keeps scanners out
    ArchiveNested,     ///< archive in archive
    ArchiveBomb,       ///< unpacks beyond every limit
    ArchiveOdd,        ///< packed in a way that nothing here opens: ACE, ARJ, …
    DoubleExtension,   ///< invoice.pdf.exe, or a right-to-left override in the name
    TypeMismatch,      ///< the bytes are not what the name says
    ChmHelp,           ///< compiled HTML help
    RtfObject,         ///< RTF with objects
    ExploitShape,      ///< Equation editor and other known carriers
    ConfigProfile,     ///< changes how a device is set up: .mobileconfig, .ppkg
    KnownBad,          ///< a rule of the house knows it (file_rules.h)
};

/// What was found in one attachment, or in a file inside it.
struct FileFacts {
    std::string path;  ///< "facture.zip/facture.pdf.js"
    std::string type;  ///< real type by content: "pdf", "zip", "ole", "pe", …
    struct Finding {
        Capability capability;
        std::string detail;  ///< what was seen: "AutoOpen", "*.lnk → powershell", …
    };
    std::vector<Finding> findings;
    bool has(Capability capability) const;
};

struct QrCode {
    std::string payload;
    std::string where;  ///< "attachment:NAME"
};

/// What reading the attachments gave. Filled by the deep lane; empty when it was not needed.
struct AttachmentFacts {
    std::vector<FileFacts> files;
    std::vector<QrCode> qr;
    std::vector<RawLink> links;           ///< of PDFs, documents, calendars and HTML attachments
    std::vector<std::string> link_where;  ///< parallel to `links`
    std::string text;                     ///< text of PDFs, documents and HTML attachments
    bool incomplete = false;              ///< a limit or the deadline ended the reading
    bool crashed = false;                 ///< the child died: the content is hostile or broken
    std::string password_in_text;         ///< a password for an archive, given in the message
};

/// Who is writing, seen from what the organisation knows.
struct Relations {
    bool history_known = false;  ///< there is a memory to ask
    std::string from_address;
    std::string from_domain;  ///< registrable
    bool from_own_domain = false;
    bool from_own_authenticated = false;
    bool from_freemail = false;
    bool known_correspondent = false;
    bool known_domain = false;
    /// A service that carries what strangers write (shared files, invitations, invoices): its proof
    /// says who carried, not who speaks. Replies go to somebody unknown.
    bool is_carrier = false;
    /// A customer of a service open to all writes: the service's proof says nothing of who they
    /// are.
    bool is_tenant = false;
    bool first_contact = false;  ///< history known, neither address nor domain in it
    std::string supplier;        ///< supplier that owns the sender's domain
    std::string supplier_named;  ///< supplier named by display name, subject or text
    std::string supplier_named_evidence;
    LookAlike sender_look_alike;                 ///< of own domains, suppliers, services and brands
    std::string correspondent_named;             ///< a known correspondent's name is shown …
    bool correspondent_foreign_address = false;  ///< … with an address they never wrote from
    std::string staff_named;                     ///< a member of staff whose name is shown
    bool staff_name_foreign_address = false;     ///< … with an address that is not theirs
    bool display_name_is_address = false;        ///< display name shows another address
    std::string display_address;
    bool reply_to_differs = false;   ///< another registrable domain
    bool reply_to_freemail = false;  ///< replies go to a free mailbox
    LookAlike reply_to_look_alike;
    std::string reply_to;
    bool is_recipient = false;   ///< From is the very address that receives
    bool claims_thread = false;  ///< "Re:" or In-Reply-To
    bool thread_known = false;   ///< a referenced id is ours
    bool thread_false = false;   ///< claims a thread that our memory does not hold
    bool mail_from_differs = false;
    /// Sent by a tenant of Microsoft under the name that all have at first
    /// ("xk19.onmicrosoft.com"), from another domain, and not passed on by one.
    bool by_nameless_tenant = false;
    bool to_undisclosed = false;
    std::string organisation;  ///< id of the organisation it was sent to, when known
};

/// SPF, DKIM and DMARC, from the side-car or a trusted Authentication-Results.
struct Authentication {
    AuthResult spf = AuthResult::Absent;
    AuthResult dkim = AuthResult::Absent;
    AuthResult dmarc = AuthResult::Absent;
    /// The From domain is proven: DMARC passed, or an aligned SPF or DKIM did.
    bool is_authentic = false;
    /// Somebody checked and it failed.
    bool is_forged = false;
};

/// An IBAN and whose it is.
struct IbanFacts {
    Iban iban;
    std::string supplier;           ///< whose known IBAN it is
    bool known_to_sender = false;   ///< known for the supplier that writes or is named
    bool new_for_supplier = false;  ///< that supplier has others on record, not this one
    bool in_quote = false;          ///< stands in the quoted history alone
};

/// What a reply quotes: the history that an intruder copies and cannot rewrite without a trace.
struct QuotedFacts {
    bool any = false;
    std::size_t at = 0;       ///< where in Message::text it begins
    std::string author;       ///< address of the last one quoted who is not of the house
    std::string author_name;  ///< … and the name beside it
    std::string evidence;     ///< the address as it stands
    LookAlike::How imitated = LookAlike::How::None;  ///< From's domain resembles the author's
    bool other_domain = false;  ///< the same person by name or mailbox, at another domain
};

struct Evidence {
    Authentication auth;
    Relations relations;
    std::vector<Link> links;
    std::vector<BrandMention> brands;
    std::vector<IbanFacts> ibans;
    QuotedFacts quoted;
    std::vector<Phone> phones;
    std::array<LureFacts, kLures> lures;
    std::vector<CryptoAddress> wallets;
    AttachmentFacts attachments;
    std::size_t words = 0;      ///< words of the body
    std::size_t invisible = 0;  ///< zero-width characters inside words of subject, names and body
    std::size_t invisible_in_head = 0;  ///< of these in the sender's name and the subject
    std::size_t disguised = 0;          ///< letters of another script inside Latin words
    std::string disguised_evidence;
    /// Words that only say a brand or a lure once signs are read as the letters they look like.
    std::size_t masked = 0;
    std::string masked_evidence;
    std::string masked_where;
    std::size_t random_words = 0;  ///< words of the body that chance wrote
    std::string random_evidence;
    std::string random_in_head;  ///< a random word in subject, sender's name or mailbox
    std::string random_in_head_where;
    std::size_t wall = 0;  ///< longest run of one sign
    std::string wall_evidence;

    const LureFacts& lure(Lure which) const { return lures[static_cast<std::size_t>(which)]; }
    bool has(Lure which) const { return lure(which).phrases > 0; }
};

/// Draws everything from a message; `attachments` is what the deep lane read.
Evidence extract_evidence(const Message& message, const Envelope& envelope, const History& history,
                          AttachmentFacts attachments);

}  // namespace hygie::mail
