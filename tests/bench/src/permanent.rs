//! Refusals for good.

use crate::replies::{Shape, Template};
use crate::world::Family;

const RCPT: Shape = Shape::Said("RCPT TO");
const MAIL: Shape = Shape::Said("MAIL FROM");
const END: Shape = Shape::Said("end of DATA");

const fn t(
    family: Option<Family>,
    weight: u32,
    dsn: &'static str,
    shape: Shape,
    text: &'static str,
    variants: &'static [&'static str],
) -> Template {
    Template { family, dsn, shape, text, variants, weight }
}

const GOOGLE: Option<Family> = Some(Family::Google);
const MICROSOFT: Option<Family> = Some(Family::Microsoft);
const YAHOO: Option<Family> = Some(Family::Yahoo);
const APPLE: Option<Family> = Some(Family::Apple);
const GMX: Option<Family> = Some(Family::Gmx);
const TELEKOM: Option<Family> = Some(Family::Telekom);
const PROOFPOINT: Option<Family> = Some(Family::Proofpoint);
const MIMECAST: Option<Family> = Some(Family::Mimecast);
const PLAIN: Option<Family> = Some(Family::Plain);

#[rustfmt::skip] // One line a template reads best.
pub const TEMPLATES: &[Template] = &[
    t(GOOGLE, 50, "5.1.1", RCPT, "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces. For more information, go to 550 5.1.1  https://support.google.com/mail/?p=NoSuchUser {gid} - gsmtp", &[]),
    t(GOOGLE, 12, "5.2.1", RCPT, "550-5.2.1 The email account that you tried to reach is inactive. For more 550-5.2.1 information, go to 550 5.2.1  https://support.google.com/mail/?p=DisabledUser {gid} - gsmtp", &[]),
    t(GOOGLE, 10, "5.2.2", RCPT, "552-5.2.2 The recipient's inbox is out of storage space. Please direct the 552-5.2.2 recipient to 552 5.2.2  https://support.google.com/mail/?p=OverQuotaPerm {gid} - gsmtp", &[]),
    t(GOOGLE, 15, "5.7.26", END, "550-5.7.26 {var} 550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM. 550-5.7.26  Authentication results: 550-5.7.26  DKIM = did not pass 550-5.7.26  SPF [{fromdom}] with ip: [{ip}] = did not pass 550-5.7.26  For instructions on setting up authentication, go to 550 5.7.26  https://support.google.com/mail/answer/81126#authentication {gid} - gsmtp", &["This mail has been blocked because the sender is unauthenticated.", "Your email has been blocked because the sender is unauthenticated.", "Unauthenticated email is not accepted due to the domain's DMARC policy."]),
    t(GOOGLE, 12, "5.7.1", END, "550-5.7.1 [{ip}] {var} To reduce the amount of spam sent to Gmail, 550-5.7.1 this message has been blocked. For more information, go to 550 5.7.1  https://support.google.com/mail/?p=UnsolicitedMessageError {gid} - gsmtp", &["Gmail has detected that this message is likely 550-5.7.1 unsolicited mail.", "Our system has detected that this message is likely 550-5.7.1 suspicious due to the very low reputation of the sending domain.", "Our system has detected that this message is likely 550-5.7.1 suspicious due to the very low reputation of the sending IP address."]),
    t(MICROSOFT, 40, "5.5.0", RCPT, "550 5.5.0 Requested action not taken: mailbox unavailable ({var}). [{eop} {utc} {HEX}]", &["S2017062302", "S2017062303"]),
    t(MICROSOFT, 25, "5.4.1", RCPT, "550 5.4.1 Recipient address rejected: Access denied. {var} [{eop} {utc} {HEX}]", &["AS(201806281)", "AS(201806271)", "For more information see https://aka.ms/EXOSmtpErrors"]),
    t(MICROSOFT, 15, "5.1.10", RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {rcpt} not found by SMTP address lookup", &[]),
    t(MICROSOFT, 15, "5.7.1", MAIL, "550 5.7.1 Unfortunately, messages from [{ip}] weren't sent. Please contact your Internet service provider since part of their network is on our block list ({var}). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [{eop} {utc} {HEX}]", &["S3140", "S3150"]),
    t(MICROSOFT, 15, "5.7.0", END, "550 {var} [{eop} {utc} {HEX}]", &["5.7.606 Access denied, banned sending IP [192.0.2.25]. To request removal from this list please visit https://sender.office.com/ and follow the directions.", "5.7.509 Access denied, sending domain does not pass DMARC verification and has a DMARC policy of reject.", "5.7.708 Service unavailable. Access denied, traffic not accepted from this IP. For more information please go to http://go.microsoft.com/fwlink/?LinkId=526653 AS(7230)", "5.7.520 Access denied, Your organization does not allow external forwarding. AS(7555)", "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this group"]),
    t(YAHOO, 30, "5.0.0", RCPT, "554 delivery error: {var} [{n}] - {yahoo}", &["dd This user doesn't have a yahoo.com account", "dd Not a valid recipient", "dd Requested mail action aborted, mailbox not found", "dd This account has been temporarily suspended"]),
    t(YAHOO, 12, "5.7.9", END, "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes", &[]),
    t(YAHOO, 8, "5.7.1", Shape::Refused, "553 5.7.1 [{var}] Connections will not be accepted from {ip}, because the ip is in Spamhaus's list; see https://postmaster.yahooinc.com/error-codes", &["BL21", "BL23"]),
    t(APPLE, 25, "5.1.1", RCPT, "550 5.1.1 <{rcpt}>: user does not exist", &[]),
    t(APPLE, 12, "5.7.1", END, "550 5.7.1 [{var}] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137", &["CS01", "CS02", "HM08", "HME1"]),
    t(APPLE, 8, "5.2.2", RCPT, "552 5.2.2 <{rcpt}>: user is over quota", &[]),
    t(GMX, 30, "5.0.0", RCPT, "550-Requested action not taken: mailbox unavailable 550 For explanation visit https://postmaster.{var}&i={ip}&v={hex}", &["gmx.net/en/error-messages?c=nu", "web.de/en/error-messages?c=nu", "gmx.net/en/case?c=r0103", "web.de/en/case?c=r0103"]),
    t(GMX, 15, "5.0.0", END, "554-Transaction failed 554-Reject due to policy restrictions. 554 For explanation visit https://postmaster.gmx.net/en/case?c={var}&i=ip&v={ip}&r={hex}", &["hi", "sp", "r0601", "hd"]),
    t(TELEKOM, 15, "5.0.0", Shape::Refused, "554 IP={ip} - {var} (Ask your postmaster for help or to contact tobr@rx.t-online.de to clarify.) (BL)", &["A problem occurred.", "Dialup/transient IP not allowed. Use a mailgateway.", "None/bad reputation."]),
    t(TELEKOM, 25, "5.1.1", RCPT, "550 5.1.1 <{rcpt}>: {var}", &["user unknown", "mailbox closed"]),
    t(PROOFPOINT, 20, "5.7.0", MAIL, "554 Blocked - see https://ipcheck.proofpoint.com/?ip={ip}", &[]),
    t(PROOFPOINT, 30, "5.1.1", RCPT, "550 5.1.1 {var}", &["User Unknown", "<unknown>... User unknown", "Recipient Unknown - PPS"]),
    t(MIMECAST, 40, "5.0.0", RCPT, "550 {var} - https://community.mimecast.com/docs/DOC-1369#550 [{hex}.{region}]", &["Invalid Recipient", "Administrative prohibition - envelope blocked", "Rejected by header based Anti-Spoofing policy: sender", "Local CT Signature Match Rejected", "Envelope Blocked - User Entry"]),
    t(PLAIN, 110, "5.1.1", RCPT, "550 5.1.1 <{rcpt}>: Recipient address rejected: {var}", &["User unknown in virtual mailbox table", "User unknown in local recipient table", "User unknown in relay recipient table", "User unknown in virtual alias table", "User unknown", "undeliverable address: unknown user", "No such mailbox", "Mailbox does not exist", "unknown recipient", "No such recipient here", "user does not exist", "Address unknown"]),
    t(PLAIN, 50, "5.0.0", RCPT, "550 {var}", &["No such user here", "Unrouteable address", "Unknown user", "Invalid recipient", "no mailbox by that name is currently available", "sorry, no mailbox here by that name. (#5.1.1)", "Requested action not taken: mailbox unavailable", "#5.1.0 Address rejected.", "5.1.1 User unknown; rejecting", "5.1.1 Recipient unknown", "5.1.0 Address rejected", "relay not permitted", "sender verify fail", "Addressee unknown", "User not found", "We do not relay", "Mailbox unavailable or access denied"]),
    t(PLAIN, 40, "5.7.1", RCPT, "554 5.7.1 Service unavailable; Client host [{ip}] blocked using {var}", &["zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.25", "bl.spamcop.net; Blocked - see https://www.spamcop.net/bl.shtml?192.0.2.25", "b.barracudacentral.org; http://www.barracudanetworks.com/reputation/?pr=1&ip=192.0.2.25", "ix.dnsbl.manitu.net; Your e-mail service was detected by mx.selfip.biz (NiX Spam) as spamming", "dnsbl-1.uceprotect.net; IP 192.0.2.25 is UCEPROTECT-Level 1 listed", "psbl.surriel.com; Listed in PSBL, see http://psbl.org/listing?ip=192.0.2.25", "dnsbl.sorbs.net; Currently Sending Spam See: http://www.sorbs.net/lookup.shtml?192.0.2.25", "bl.mailspike.net; Suspicious", "dnsbl.dronebl.org; Open proxy", "all.spamrats.com; SPAMRATS IP Addresses See: http://www.spamrats.com/bl?192.0.2.25", "truncate.gbudb.net; listed", "hostkarma.junkemailfilter.com; Black listed", "dnsbl.spfbl.net; https://matrix.spfbl.net/192.0.2.25", "combined.abuse.ch; see http://dnsbl.abuse.ch", "dul.dnsbl.sorbs.net; Dynamic IP Addresses See: http://www.sorbs.net/lookup.shtml?192.0.2.25"]),
    t(PLAIN, 20, "5.7.1", RCPT, "554 5.7.1 <{rcpt}>: {var}", &["Relay access denied", "Sender address rejected: Access denied", "Client host rejected: Access denied", "Recipient address rejected: Access denied", "Helo command rejected: Access denied", "Recipient address rejected: Policy restrictions"]),
    t(PLAIN, 45, "5.2.2", RCPT, "552 5.2.2 <{rcpt}>: {var}", &["Mailbox full", "Quota exceeded (mailbox for user is full)", "User is over the quota. You can try again later.", "Recipient address rejected: Mailbox quota exceeded", "Mailbox size limit exceeded", "The recipient's mailbox is full", "Insufficient disk space for this user", "mailbox over quota, message returned"]),
    t(PLAIN, 25, "5.2.1", RCPT, "550 5.2.1 <{rcpt}>: {var}", &["Account disabled", "Mailbox disabled, not accepting messages", "Account is suspended", "This account has been disabled or discontinued [#101].", "Recipient address rejected: Account inactive", "Mailbox closed", "The email account that you tried to reach is disabled", "Recipient no longer on server"]),
    t(PLAIN, 30, "5.7.1", END, "550 5.7.1 {var} (score {score})", &["Message rejected as spam", "Spam message rejected", "This message scored too many spam points", "Rejected: high spam probability", "Message content rejected, UBE", "Message classified as spam and rejected", "SpamAssassin: message refused", "Blocked by content filter", "This message was classified as SPAM and may not be delivered"]),
    t(PLAIN, 12, "5.7.1", END, "554 5.7.1 {var} found, message refused", &["Virus Eicar-Test-Signature", "Virus Heuristics.Phishing.Email.SpoofedDomain", "Malware Win.Trojan.Agent", "Malicious attachment", "Banned file type .exe", "Infected: HTML.Phishing.Bank", "Virus Doc.Downloader.Generic"]),
    t(PLAIN, 20, "5.7.23", RCPT, "550 5.7.23 <{rcpt}>: Recipient address rejected: Message rejected due to: {var} Please see http://www.openspf.org/Why?s=mfrom;id={from};ip={ip};r=<UNKNOWN>", &["SPF fail - not authorized.", "SPF softfail - not trusted.", "SPF permanent error.", "domain owner discourages use of this host."]),
    t(PLAIN, 16, "5.7.1", MAIL, "553 5.7.1 <{from}>: Sender address rejected: {var}", &["not owned by user", "Domain not found", "blacklisted sender", "not logged in", "sender domain has no MX"]),
    t(PLAIN, 10, "5.3.4", END, "552 5.3.4 {var}", &["Message size exceeds fixed limit", "Message too big for system", "Message exceeds maximum fixed size", "Message size exceeds file system imposed limit"]),
    t(PLAIN, 10, "5.5.2", RCPT, "501 5.5.2 <{rcpt}>: {var}", &["Invalid address", "bad address syntax", "malformed address"]),
    t(PLAIN, 8, "5.7.25", Shape::Refused, "550 5.7.25 {var}", &["The IP address sending this message does not have a PTR record setup", "Reverse DNS validation failed", "No PTR record for 192.0.2.25", "Forward-confirmed reverse DNS failed"]),
    t(PLAIN, 10, "5.4.6", Shape::Own, "mail for {dom} loops back to myself", &[]),
    t(None, 8, "5.3.4", Shape::Own, "message size {size} exceeds size limit {limit} of server {peer}", &[]),
    t(PLAIN, 45, "5.4.4", Shape::Unreached, "Host or domain name not found. Name service error for name={dom} type={var}: Host not found", &["A", "AAAA", "MX"]),
    t(PLAIN, 10, "5.1.0", Shape::Unreached, "Domain {dom} does not accept mail (nullMX)", &[]),
];
