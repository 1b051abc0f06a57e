#include "guards/records/door.h"

#include "guards/records/handlers.h"
#include "guards/records/interactions.h"
#include "guards/records/staff_room.h"

namespace hygie::records {

struct Door::State {
    State(const Rooms& rooms, Options options) : desk(rooms, std::move(options)) {}
    Desk desk;
};

Door::Door(const Rooms& rooms, Options options)
    : state_(std::make_unique<State>(rooms, std::move(options))) {}
Door::~Door() = default;

void Door::handle(const access::Actor& actor, http::Request request, http::Reply reply) {
    serve(state_->desk, actor, std::move(request), std::move(reply));
}

void Door::remember(const event::Event& event) {
    records::remember(state_->desk, event);
}

std::vector<event::Type> Door::remembered() {
    using event::Type;
    return {Type::BreakGlass, Type::ConsentDecided, Type::RecordRead, Type::RecordExported,
            Type::RecordSearched};
}

std::vector<access::Belonging> Door::belongings(const std::string& person) {
    return state_->desk.staff->belongings(state_->desk.policy(), person);
}

}  // namespace hygie::records
