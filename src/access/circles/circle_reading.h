#pragma once

#include <initializer_list>

#include "access/circles/circle_read.h"
#include "base/ascii.h"

/// Inside of circle_read: one resource being read, and the words it is recognised by.
namespace hygie::access {

/// Words by which a shift, and acting for another, are recognised.
extern const std::initializer_list<std::string_view> kOnCallWords;
extern const std::initializer_list<std::string_view> kDelegationWords;

/// Whether the status says that it never was, or is no longer to be.
bool never_happened(fhir::Json resource);
/// What both cover.
Span within(Span outer, fhir::Json period, Rounding rounding = Rounding::In);
/// A thing that is over but does not say when ends when it was last written, or a day after it
/// began.
Span ended(Span span, fhir::Json resource);
bool is_person_name(std::string_view name);
bool is_unit_name(std::string_view name);

/// One resource on its way into the facts.
class Reading {
  public:
    Reading(fhir::Json resource, std::string self, ReadFacts& facts)
        : resource_(resource), self_(std::move(self)), facts_(facts) {}

    void patient();
    void practitioner();
    void position();
    void unit();
    void encounter();
    void appointment();
    void answer();
    void team();
    void group();
    void consent();
    void related_person();
    void person();
    void schedule();
    void slot();
    void flag();
    void delegation(std::string_view delegate, std::string_view principal, fhir::Json period);

  private:
    void bond(const std::string& patient, const std::string& party, Relation::Kind kind, Span span,
              Classes classes = kAllClasses) {
        if (patient.empty() || span.from >= span.to) return;
        facts_.bonds.push_back({patient, party, kind, span, self_, classes, false});
    }
    void member(const std::string& person, const std::string& party, Post post, Span span) {
        if (person.empty() || party.empty() || span.from >= span.to) return;
        facts_.memberships.push_back({person, party, post, span, self_, false});
    }
    std::string name(fhir::Json reference) const {
        return reference_name_in(resource_, reference, facts_.local_only);
    }
    void note_trades(fhir::Json concepts, const std::string& who, Span span);
    /// When a consent lets in, and when it keeps out.
    struct Standing {
        Span for_them{};
        Span against{};
        Standing within(fhir::Json period) const {
            return {access::within(for_them, period),
                    access::within(against, period, Rounding::Out)};
        }
    };
    Standing standing() const;
    void provision(fhir::Json provision, const std::string& patient, const Standing& outer,
                   bool is_root);
    void shift(const std::vector<std::string>& parties, Span span);

    fhir::Json resource_;
    std::string self_;
    ReadFacts& facts_;
};

}  // namespace hygie::access
