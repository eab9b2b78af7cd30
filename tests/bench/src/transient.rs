//! Refusals for now.

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
const PLAIN: Option<Family> = Some(Family::Plain);

#[rustfmt::skip] // One line a template reads best.
pub const TEMPLATES: &[Template] = &[
    t(GOOGLE, 40, "4.2.2", RCPT, "452-4.2.2 The recipient's inbox is out of storage space. Please direct the 452-4.2.2 recipient to 452 4.2.2  https://support.google.com/mail/?p=OverQuotaTemp {gid} - gsmtp", &[]),
    t(GOOGLE, 20, "4.2.1", RCPT, "450-4.2.1 The user you are trying to contact is receiving mail at a rate that 450-4.2.1 prevents additional messages from being delivered. Please resend your 450-4.2.1 message at a later time. If the user is able to receive mail at that 450-4.2.1 time, your message will be delivered. For more information, please 450-4.2.1 visit 450 4.2.1  https://support.google.com/mail/?p=ReceivingRate {gid} - gsmtp", &[]),
    t(GOOGLE, 40, "4.7.28", END, "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating 421-4.7.28 from your {var}. To protect our users from spam, mail sent from your 421-4.7.28 {var} has been temporarily rate limited. For more information, go to 421 4.7.28  https://support.google.com/mail/?p=UnsolicitedRateLimitError {gid} - gsmtp", &["IP address", "IP Netblock", "SPF domain", "DKIM domain"]),
    t(MICROSOFT, 40, "4.7.500", RCPT, "451 4.7.500 Server busy. Please try again later from [{ip}]. ({var}) [{eop} {utc} {HEX}]", &["S77719", "S77714", "AS77713911", "AS77712821"]),
    t(MICROSOFT, 30, "4.7.650", MAIL, "451 4.7.650 The mail server [{ip}] has been temporarily rate limited due to {var}. For e-mail delivery information, see https://aka.ms/postmaster (S775) [{eop} {utc} {HEX}]", &["IP reputation", "high volume"]),
    t(MICROSOFT, 20, "4.3.2", RCPT, "451 4.3.2 Temporary server error. Please try again later {var} [{eop} {utc} {HEX}]", &["ATTR2", "ATTR5", "PRX2", "PRX4"]),
    t(YAHOO, 60, "4.7.0", MAIL, "421 4.7.0 [{var}] Messages from {ip} temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes", &["TSS04", "TSS05", "TSS09", "TSS11"]),
    t(YAHOO, 15, "4.3.2", END, "451 4.3.2 Internal error reading data", &[]),
    t(APPLE, 30, "4.7.1", RCPT, "450 4.7.1 <{rcpt}>: {var}", &["Recipient address rejected: Service is unavailable", "too many messages from your host, try again later", "user mailbox temporarily unavailable"]),
    t(GMX, 30, "4.0.0", Shape::Refused, "554-{var} ({mx}) Nemesis ESMTP Service not available 554-No SMTP service 554-IP address is block listed. 554 For explanation visit https://postmaster.gmx.net/en/error-messages?ip={ip}&c=bl", &["gmx.net", "web.de", "mail.com"]),
    t(GMX, 30, "4.0.0", RCPT, "450 Requested mail action not taken: {var}. For explanation visit https://postmaster.gmx.net/en/case?c=r0104&i=ip&v={ip}&r={hex}", &["mailbox unavailable", "Mailbox full", "Too many messages"]),
    t(PLAIN, 130, "4.2.0", RCPT, "450 4.2.0 <{rcpt}>: Recipient address rejected: {var}", &["Greylisted, see http://postgrey.schweikert.ch/help/mx.example.html", "Greylisted for 5 minutes", "Greylisted for 300 seconds (see http://isg.ee.ethz.ch/tools/postgrey/help/mx.example.html)", "Temporarily rejected. Try again later.", "Policy Rejection- Please try later.", "Greylisting in effect, please come back later", "Greylisted, try again in 00:04:59", "Temporary greylisted by policy", "Greylisted by SQLgrey", "Deferred for 600 seconds", "Unknown sender, please retry later"]),
    t(PLAIN, 60, "4.7.1", RCPT, "451 4.7.1 {var}", &["Greylisting in action, please come back in 00:05:00", "Try again later", "Temporarily deferred due to user complaints", "Please try again later (GREYLIST)", "Resources restricted, try again later", "Service unavailable - try again later", "Sender IP is rate limited, slow down", "You have been greylisted, come back in 5 minutes", "Ratelimit \"default\" exceeded", "Too many connections from your network", "Message temporarily deferred", "Reputation check in progress", "IP not yet known, retry in 15 minutes", "Sender rate exceeded, retry in 60 minutes"]),
    t(PLAIN, 35, "4.3.0", RCPT, "451 4.3.0 <{rcpt}>: {var}", &["Temporary lookup failure", "Temporary system failure. Please try again later.", "Recipient address rejected: Temporary failure in address verification", "Internal server error", "Mail server temporarily rejected message", "Database unavailable", "Recipient verification failed temporarily"]),
    t(PLAIN, 25, "4.2.1", RCPT, "450 4.2.1 <{rcpt}>: Recipient address rejected: {var}", &["Mailbox busy", "Mailbox temporarily disabled", "Mailbox unavailable, try later"]),
    t(PLAIN, 50, "4.2.2", RCPT, "452 4.2.2 <{rcpt}>: {var}", &["Mailbox full", "Over quota", "Mailbox is over quota, please try again later", "Quota exceeded temporarily", "Recipient's storage is full", "Insufficient storage for this mailbox"]),
    t(PLAIN, 12, "4.3.1", MAIL, "452 4.3.1 {var}", &["Insufficient system storage", "Out of memory", "Not enough disk space, try later", "Message queue too large"]),
    t(PLAIN, 12, "4.5.3", RCPT, "452 4.5.3 {var}", &["Error: too many recipients", "Too many recipients for this sender", "Too many recipients received this hour"]),
    t(PLAIN, 15, "4.3.5", END, "451 4.3.5 {var}", &["Server configuration error", "Error in processing, id=01234-07", "Internal content filter error", "Milter service temporarily unavailable"]),
    t(PLAIN, 30, "4.0.0", RCPT, "451 {var}", &["Temporary local problem - please try later", "Could not complete sender verify callout", "qq trouble creating files in queue (#4.3.0)", "Local error in processing", "Host lookup did not complete", "Please try again later", "Temporary failure, please try again", "Address lookup in progress"]),
    t(PLAIN, 25, "4.7.0", Shape::Refused, "421 4.7.0 {mx} {var}", &["Error: too many connections from 192.0.2.25", "Too many concurrent SMTP connections; please try again later.", "Service not available, closing transmission channel", "Connection rate limit exceeded", "SMTP service temporarily unavailable", "too many sessions from your address", "Server too busy, try later", "load too high, come back later"]),
    t(PLAIN, 15, "4.3.2", RCPT, "421 4.3.2 {var}", &["Service shutting down, closing channel", "System not accepting network messages", "The maximum number of concurrent connections has exceeded a limit"]),
    t(None, 60, "4.4.1", Shape::Unreached, "connect to {peer}:25: {var}", &["Connection timed out", "Connection refused", "No route to host", "Network is unreachable"]),
    t(None, 25, "4.4.2", Shape::Own, "conversation with {peer} timed out while {var}", &["receiving the initial server greeting", "performing the EHLO handshake", "sending MAIL FROM", "sending RCPT TO", "sending DATA command", "sending message body", "sending end of data -- message may be sent more than once"]),
    t(None, 25, "4.4.2", Shape::Own, "lost connection with {peer} while {var}", &["receiving the initial server greeting", "performing the EHLO handshake", "performing the HELO handshake", "sending MAIL FROM", "sending RCPT TO", "sending message body", "sending end of data -- message may be sent more than once"]),
    t(PLAIN, 35, "4.4.3", Shape::Unreached, "Host or domain name not found. Name service error for name={dom} type={var}: Host not found, try again", &["MX", "A", "AAAA"]),
    t(PLAIN, 12, "4.7.5", Shape::Own, "{var}", &["Server certificate not verified", "Server certificate not trusted"]),
    t(PLAIN, 10, "4.7.4", Shape::Own, "TLS is required, but was not offered by host {peer}", &[]),
    t(PLAIN, 6, "4.7.0", Shape::Own, "TLS is required, but host {peer} refused to start TLS: 454 4.7.0 TLS not available due to {var}", &["local problem", "temporary reason"]),
    t(None, 25, "4.4.1", Shape::Suspended, "delivery temporarily suspended: connect to {peer}:25: {var}", &["Connection refused", "Connection timed out", "No route to host"]),
    t(None, 8, "4.4.2", Shape::Suspended, "delivery temporarily suspended: {var} with {peer} while receiving the initial server greeting", &["lost connection"]),
    t(None, 2, "4.3.0", Shape::Suspended, "mail transport unavailable", &[]),
];
