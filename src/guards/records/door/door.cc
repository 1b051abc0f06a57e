#include "guards/records/door/door.h"

#include "guards/records/desk/handlers.h"
#include "guards/records/desk/pace.h"
#include "guards/records/desk/staff_room.h"
#include "guards/records/door/interactions.h"
#include "guards/records/notices/notices.h"

namespace hygie::records {

struct Door::State {
    State(const Rooms& rooms, Options options) : desk(rooms, std::move(options)), notices(desk) {
        desk.notices = &notices;
        notices.start();
    }
    Desk desk;
    Notices notices;
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
    const auto types = records::remembered();
    return {types.begin(), types.end()};
}

std::vector<event::Type> Door::openings() {
    const auto types = records::openings();
    return {types.begin(), types.end()};
}

bool Door::counts_as_opening(const event::Event& event) {
    return counts_for_pace(event);
}

std::function<bool(std::string_view)> Door::open_socket(std::function<bool(std::string)> send) {
    return [&desk = state_->desk, socket = NoticeSocket{std::move(send)}](std::string_view text) {
        return hear_socket(desk, socket, text);
    };
}

std::vector<access::Belonging> Door::belongings(const std::string& person) {
    return state_->desk.staff->belongings(state_->desk.policy(), person);
}

}  // namespace hygie::records
