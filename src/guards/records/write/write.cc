#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "guards/records/notices/notices.h"
#include "guards/records/write/authorship.h"
#include "guards/records/write/checks.h"
#include "guards/records/write/confer.h"
#include "guards/records/write/contradictions.h"
#include "guards/records/write/idempotency.h"
#include "guards/records/write/plan.h"
#include "guards/records/write/work.h"
#include "vault/shared.h"
#include "vault/unassigned.h"

namespace hygie::records {

namespace {

using event::Action;
using Kind = Change::Kind;

/// A write under way, alive until it is done.
class Writing : public std::enable_shared_from_this<Writing> {
  public:
    Writing(Desk& desk, const Call& call, Work work, OnWritten done)
        : desk_(desk),
          call_(call),
          sight_(desk, call),
          work_(std::move(work)),
          done_(std::move(done)) {}

    void run() {
        const auto replayed = replay();
        if (!replayed) return end(std::unexpected(replayed.error()));
        if (*replayed) {
            auto allowed = show();
            return allowed ? tell() : end(std::unexpected(std::move(allowed.error())));
        }
        auto transaction = prepare();
        if (!transaction) return end(std::unexpected(std::move(transaction.error())));
        if (transaction->writes.empty()) return finish({});
        desk_.rooms.vault.commit(
            *std::move(transaction),
            [self = shared_from_this()](Result<std::vector<vault::Version>>&& versions) {
                if (versions) return self->finish(*std::move(versions));
                self->end(std::unexpected(self->refusal_of(versions.error())));
            });
    }

  private:
    Answer<vault::Transaction> prepare();
    Answer<bool> replay();
    void remember(vault::Transaction& transaction);
    Answer<void> judge(Step& step);
    Answer<void> judge_others(Action action, const Step& step);
    Answer<void> show();
    event::Event commit_event();
    std::vector<event::Event> further_events();
    Refusal refusal_of(const Error& error) const;
    void finish(std::vector<vault::Version> versions);
    void tell();
    /// Others may write under the same conditions before the asker knows.
    void end(Answer<std::vector<Written>> answer) {
        plan_.pass = {};
        done_(std::move(answer));
    }
    Answer<Written> result_of(const Step& step, std::vector<vault::Version>& versions,
                              std::size_t& next);

    Desk& desk_;
    const Call& call_;
    Sight sight_;
    Work work_;
    OnWritten done_;
    Plan plan_;
    std::string memory_;  ///< id of what the call's idempotency key remembers, empty without a key
    std::vector<event::Event> shown_;  ///< of what is told and not changed
    std::vector<Written> results_;
};

vault::Write write_of(const Step& step) {
    vault::Write write{.type = step.change.type, .id = step.change.id};
    if (step.change.kind == Kind::Delete) {
        write.kind = vault::Write::Kind::Delete;
    } else {
        write.resource = step.change.body;
        write.record = step.patient;
    }
    write.must_be_new = step.is_new;
    if (step.before) write.if_match = step.before->entry.version;
    return write;
}

Answer<vault::Transaction> Writing::prepare() {
    plan_ = TRY(make_plan(sight_, work_));
    TRY_STATUS(check_steps(sight_, work_, plan_));
    vault::Transaction transaction;
    transaction.author = author_of(call_.actor);
    for (Step& step : plan_.steps) {
        TRY_STATUS(judge(step));
        if (step.is_idle) continue;
        transaction.writes.push_back(write_of(step));
    }
    TRY_STATUS(check_confers(sight_, plan_));
    TRY_STATUS(check_authorship(sight_, work_, plan_));
    TRY_STATUS(show());
    Contradictions contradictions(sight_, work_.arena, plan_);
    for (Step& step : plan_.steps) {
        for (const fhir::Json issue : TRY(contradictions.find(step))) {
            const std::string id = desk_.rooms.vault.new_id();
            step.detected.push_back(reference_to("DetectedIssue", id));
            transaction.writes.push_back({.type = "DetectedIssue",
                                          .id = id,
                                          .resource = issue,
                                          .record = step.patient,
                                          .must_be_new = true});
        }
    }
    if (transaction.writes.empty()) return transaction;
    transaction.event = commit_event();
    if (!memory_.empty()) remember(transaction);
    return transaction;
}

int status_of(const Step& step) {
    if (step.change.kind == Kind::Delete) return 204;
    return step.is_new ? 201 : 200;
}

void Writing::remember(vault::Transaction& transaction) {
    std::vector<Remembered> changes;
    for (const Step& step : plan_.steps) {
        if (step.comes_along) continue;
        const std::uint32_t before = step.before ? step.before->entry.version : 0;
        changes.push_back({step.is_idle && !step.before ? 204 : status_of(step), step.change.type,
                           step.change.id, before + (step.is_idle ? 0 : 1)});
    }
    transaction.writes.push_back(
        {.type = "Basic",
         .id = memory_,
         .resource = memory_of(desk_, call_, work_.arena, memory_, changes),
         .record = std::string(vault::kOwnMemory),
         .must_be_new = true});
}

/// Whether this was done before: results_ then tell what it became, as far as it is still open.
Answer<bool> Writing::replay() {
    memory_ = TRY(memory_id(desk_, call_));
    if (memory_.empty()) return false;
    const auto changes = TRY(recall(desk_, call_, memory_));
    if (!changes) return false;
    for (const Remembered& change : *changes) {
        Written written{.status = change.status, .type = change.type, .id = change.id};
        Step step{.change = {.type = change.type, .id = change.id}, .is_idle = true};
        if (change.version > 0) {
            step.before = TRY(sight_.open(Action::Read, change.type, change.id));
            step.patient = step.before->record->patient();
            step.basis = sight_.reasons();
            auto version = TRY(desk_.rooms.vault.read(*step.before, change.version));
            if (!sight_.may_show(*step.before, version))
                return std::unexpected(not_found(sight_.reasons()));
            written.version = version.version;
            written.updated = version.updated;
            sight_.narrow(*step.before, version.body);
            written.body = std::move(version.body);
        }
        plan_.steps.push_back(std::move(step));
        results_.push_back(std::move(written));
    }
    return true;
}

Answer<void> Writing::judge(Step& step) {
    // What was there before was judged when it was found; a deletion and what is not written need
    // no more than why.
    if (!step.has_body()) {
        if (step.before &&
            sight_.may(step.is_idle ? Action::Execute : Action::Delete, *step.before))
            step.basis = sight_.reasons();
        return {};
    }
    const Action action = step.is_new ? Action::Create : Action::Update;
    const access::Decision* decision = nullptr;
    if (const auto record = desk_.rooms.vault.record(step.patient)) {
        decision = &sight_.decision(action, step.change.type, **record, step.change.id);
    } else if (step.patient == vault::kUnassigned) {
        decision = &sight_.decision(action, step.change.type, {}, {});
    } else {
        // The record is made here: by then it says that the author opened it.
        const std::vector<access::Relation> opened = {
            {.person = call_.actor.person,
             .kind = access::Relation::Kind::OpenedRecord,
             .evidence = reference_to("Patient", step.patient)}};
        decision = &sight_.decision(action, step.change.type, step.patient, opened);
    }
    if (decision->permitted) {
        step.basis = decision->reasons;
        return judge_others(action, step);
    }
    if (auto owed = owed_by(*decision)) return std::unexpected(*std::move(owed));
    return std::unexpected(forbidden(decision->reasons));
}

/// Of what names several patients, nobody writes what they could not see.
Answer<void> Writing::judge_others(Action action, const Step& step) {
    if (!vault::is_of_patient(step.patient)) return {};
    for (const std::string& patient : vault::others_named(step.change.body, step.patient)) {
        const auto record = desk_.rooms.vault.record(patient);
        const access::Decision& decision =
            sight_.decision(action, step.change.type, patient,
                            record ? (*record)->relations() : std::span<const access::Relation>());
        if (decision.permitted) continue;
        if (auto owed = owed_by(decision)) return std::unexpected(*std::move(owed));
        return std::unexpected(forbidden(decision.reasons));
    }
    return {};
}

/// The patient whose record alone a plan changes; empty when there are several, or none.
std::string only_patient(const Plan& plan) {
    std::string only;
    for (const Step& step : plan.steps) {
        if (step.patient.empty()) continue;
        if (!only.empty() && only != step.patient) return {};
        only = step.patient;
    }
    return only;
}

event::Type type_of(const Step& step) {
    if (step.change.kind == Kind::Delete) return event::Type::RecordDeleted;
    return step.is_new ? event::Type::RecordCreated : event::Type::RecordUpdated;
}

event::Event Writing::commit_event() {
    const bool alone = plan_.steps.size() == 1;
    const Step& first = plan_.steps.front();
    event::Event e = event_of(desk_, call_, alone ? type_of(first) : event::Type::RecordUpdated,
                              only_patient(plan_), alone ? first.reference() : std::string());
    if (!alone) {
        e.action = Action::Execute;
        e.detail["changes"] = fmt::format("{}", plan_.steps.size());
    }
    e.query = call_.asked;
    for (const Step& step : plan_.steps)
        if (!step.is_idle && !e.break_glass) add_basis(e, step.basis);
    return e;
}

/// What a write shows without changing it is a disclosure like any other: it counts, and beyond
/// every habit nothing is written either.
Answer<void> Writing::show() {
    for (const Step& step : plan_.steps) {
        if (!step.shows()) continue;
        event::Event e =
            event_of(desk_, call_, event::Type::RecordRead, step.patient, step.reference());
        e.query = call_.asked;
        add_basis(e, step.basis);
        shown_.push_back(std::move(e));
    }
    access::Pressure pressure = call_.pressure;
    if (auto refusal = held(desk_, call_, shown_, pressure))
        return std::unexpected(*std::move(refusal));
    return {};
}

Refusal Writing::refusal_of(const Error& error) const {
    const bool is_race = error.code == Code::Stale || error.code == Code::AlreadyThere ||
                         error.code == Code::NotFound;
    if (!is_race) return error;
    return {409,
            "conflict",
            {"quelqu'un a modifié la même chose en même temps : rien n'a été écrit",
             "somebody changed the same thing at the same time: nothing was written"},
            {"relisez, puis recommencez", "read again, then try again"}};
}

/// Patients whose record is changed or shown, beyond the one that the event of the commit names.
std::vector<event::Event> Writing::further_events() {
    std::vector<event::Event> events = std::move(shown_);
    std::set<std::string> told = {only_patient(plan_), {}};
    for (const Step& step : plan_.steps) {
        if (step.shows() || !told.insert(step.patient).second) continue;
        event::Event e = event_of(desk_, call_, type_of(step), step.patient, step.reference());
        e.query = call_.asked;
        add_basis(e, step.basis);
        events.push_back(std::move(e));
    }
    return events;
}

void Writing::finish(std::vector<vault::Version> versions) {
    for (Step& step : plan_.steps)
        if (step.change.type == "Subscription" && step.has_body())
            desk_.notices->adopt(step.change.id, std::move(step.headers));
    desk_.notices->written(versions);
    std::size_t next = 0;
    for (const Step& step : plan_.steps) {
        auto written = result_of(step, versions, next);
        if (!written) return end(std::unexpected(std::move(written.error())));
        if (!step.comes_along) results_.push_back(*std::move(written));
    }
    tell();
}

/// Hands the results over once the ledger has all that is owed for them.
void Writing::tell() {
    auto events = further_events();
    if (events.empty()) return end(std::move(results_));
    desk_.rooms.trace.submit(std::move(events), [self = shared_from_this()](Status kept) {
        if (!kept) return self->end(std::unexpected(Refusal(kept.error())));
        self->end(std::move(self->results_));
    });
}

Answer<Written> Writing::result_of(const Step& step, std::vector<vault::Version>& versions,
                                   std::size_t& next) {
    Written written{.type = step.change.type,
                    .id = step.change.id,
                    .warnings = step.warnings,
                    .detected = step.detected};
    if (step.is_idle && (!step.before || step.before->entry.deleted)) {
        written.status = 204;
        return written;
    }
    vault::Version version =
        step.is_idle ? TRY(desk_.rooms.vault.read(*step.before)) : std::move(versions[next++]);
    if (!step.is_idle) written.status = status_of(step);
    written.version = version.version;
    written.updated = version.updated;
    // Who brought it whole knows it; what a patch left as it was is for who may read it.
    const bool is_patch =
        step.change.kind == Kind::JsonPatch || step.change.kind == Kind::PathPatch;
    if (is_patch && !sight_.may(Action::Read, *step.before)) return written;
    if (step.before) sight_.narrow(*step.before, version.body);
    written.body = std::move(version.body);
    return written;
}

event::Type refused_type(Method method) {
    switch (method) {
        case Method::Post:
            return event::Type::RecordCreated;
        case Method::Delete:
            return event::Type::RecordDeleted;
        default:
            return event::Type::RecordUpdated;
    }
}

}  // namespace

void write(Desk& desk, const Call& call, Work work, OnWritten done) {
    std::make_shared<Writing>(desk, call, std::move(work), std::move(done))->run();
}

void write_and_reply(Desk& desk, CallPtr call, Answer<Work> work,
                     http::Response (*respond)(const Desk&, const Call&,
                                               const std::vector<Written>&)) {
    const event::Type type = refused_type(call->method);
    if (!work) return refuse(desk, std::move(call), work.error(), type);
    const Call& asked = *call;
    write(desk, asked, *std::move(work),
          [&desk, type, respond,
           call = std::move(call)](Answer<std::vector<Written>> written) mutable {
              if (!written) return refuse(desk, std::move(call), written.error(), type);
              // Commit and disclosures are in the ledger already: no more is owed.
              call->reply(respond(desk, *call, *written));
          });
}

}  // namespace hygie::records
