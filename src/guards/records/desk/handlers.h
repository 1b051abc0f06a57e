#pragma once

#include <span>

#include "guards/records/desk/desk.h"

/// The interactions, one function each: what the dispatch table (interactions.cc) points to. Those
/// that return answer at once; those that take the call over answer later, or in several steps.
namespace hygie::records {

Answer<Disclosure> read_instance(Desk& desk, const Call& call);
Answer<Disclosure> read_version(Desk& desk, const Call& call);
Answer<Disclosure> read_history(Desk& desk, const Call& call);
Answer<Disclosure> read_wide_history(Desk& desk, const Call& call);  ///< of a type, or of all
Answer<Disclosure> search(Desk& desk, const Call& call);
Answer<Disclosure> capabilities(Desk& desk, const Call& call);

Answer<Disclosure> everything(Desk& desk, const Call& call);
Answer<Disclosure> match_patients(Desk& desk, const Call& call);  ///< $match
Answer<Disclosure> validate(Desk& desk, const Call& call);
Answer<Disclosure> read_meta(Desk& desk, const Call& call);
Answer<Disclosure> expand(Desk& desk, const Call& call);
Answer<Disclosure> validate_code(Desk& desk, const Call& call);
Answer<Disclosure> lookup(Desk& desk, const Call& call);
Answer<Disclosure> subsumes(Desk& desk, const Call& call);
Answer<Disclosure> translate(Desk& desk, const Call& call);

Answer<Disclosure> read_audit(Desk& desk, const Call& call);
Answer<Disclosure> search_audit(Desk& desk, const Call& call);

Answer<Disclosure> start_export(Desk& desk, const Call& call);
Answer<Disclosure> export_status(Desk& desk, const Call& call);
Answer<Disclosure> export_file(Desk& desk, const Call& call);
Answer<Disclosure> end_export(Desk& desk, const Call& call);

Answer<Disclosure> subscription_status(Desk& desk, const Call& call);
Answer<Disclosure> subscription_events(Desk& desk, const Call& call);
Answer<Disclosure> give_socket_token(Desk& desk, const Call& call);

void write_one(Desk& desk, CallPtr call);
void run_bundle(Desk& desk, CallPtr call);
void change_meta(Desk& desk, CallPtr call);  ///< $meta-add and $meta-delete
void merge(Desk& desk, CallPtr call);
void break_glass(Desk& desk, CallPtr call);  ///< $break-glass
void co_sign(Desk& desk, CallPtr call);      ///< $co-sign
void justify(Desk& desk, CallPtr call);      ///< $justify
/// What an earlier $break-glass, $justify or disclosure left behind.
void remember(Desk& desk, const event::Event& event);
/// The types of events that leave something behind.
std::span<const event::Type> remembered();
/// Those of them that may open a record (pace.h).
std::span<const event::Type> openings();
/// A message of a WebSocket ("bind-with-token: …"); false ends it.
struct NoticeSocket;
bool hear_socket(Desk& desk, const NoticeSocket& socket, std::string_view message);
void import(Desk& desk, CallPtr call);
void turn_page(Desk& desk, CallPtr call);

}  // namespace hygie::records
