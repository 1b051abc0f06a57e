#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <mutex>
#include <string_view>

#include "base/check.h"
#include "vault/budget.h"
#include "vault/recent_rows.h"
#include "vault/sqlite_disk.h"
#include "vault/store.h"

namespace hygie::vault {
namespace {

constexpr int kApplicationId = 0x48594756;  // "HYGV"
constexpr int kSchemaVersion = 3;           ///< add_journal() is from 1 to 2, move_pieces() to 3
constexpr int kPageBytes = 4096;
/// Idle connections kept for reading; more are opened while more threads read at once.
constexpr std::size_t kReadersKept = budget::kReaders;
/// The write-ahead log is copied into the database when it holds so many pages.
constexpr int kLogPagesMax = 4096;
constexpr int kBusyMs = 10'000;
/// Times that a scan begins anew because of a commit in its first microseconds.
constexpr int kScansMax = 1'000;

constexpr std::array<std::string_view, kTables> kTableNames = {
    "bodies", "places", "commits", "outbox", "names", "names_of", "pieces", "parts", "settings"};

/// The journal of RecentRows.
constexpr char kCreateJournal[] =
    "CREATE TABLE journal(number INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT; ";

std::string_view name_of(Table table) {
    return kTableNames[static_cast<std::size_t>(table)];
}

/// Large values lie beside the tree of their keys: to compare one key in it SQLite would read the
/// whole row, 42 pages to find one of 6,400 pieces of 20 kB, where 5 are enough.
std::string_view place_of_values(Table table) {
    return table == Table::Pieces ? "" : ", WITHOUT ROWID";
}

std::string create_sql(Table table) {
    return has_pairs(table)
               ? fmt::format(
                     "CREATE TABLE {}(major INTEGER NOT NULL, minor INTEGER NOT NULL, "
                     "value BLOB NOT NULL, PRIMARY KEY(major, minor)) STRICT{}",
                     name_of(table), place_of_values(table))
               : fmt::format(
                     "CREATE TABLE {}(major INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT",
                     name_of(table));
}

std::string get_sql(Table table) {
    return fmt::format("SELECT value FROM {} WHERE major = ?1{}", name_of(table),
                       has_pairs(table) ? " AND minor = ?2" : "");
}

std::string scan_sql(Table table) {
    return has_pairs(table)
               ? fmt::format(
                     "SELECT major, minor, value FROM {} WHERE (major, minor) >= (?1, ?2) "
                     "AND (major, minor) <= (?3, ?4) ORDER BY major, minor",
                     name_of(table))
               : fmt::format(
                     "SELECT major, 0, value FROM {} WHERE major BETWEEN ?1 AND ?3 "
                     "ORDER BY major",
                     name_of(table));
}

std::string put_sql(Table table) {
    return has_pairs(table)
               ? fmt::format("INSERT OR REPLACE INTO {} VALUES (?1, ?2, ?3)", name_of(table))
               : fmt::format("INSERT OR REPLACE INTO {} VALUES (?1, ?3)", name_of(table));
}

std::string erase_sql(Table table) {
    return fmt::format("DELETE FROM {} WHERE major = ?1{}", name_of(table),
                       has_pairs(table) ? " AND minor = ?2" : "");
}

std::unexpected<Error> refused(const SqliteDisk& disk, int code) {
    if (const auto failure = disk.failure()) return std::unexpected(*failure);
    switch (code & 0xFF) {
        case SQLITE_FULL:
            return fail(Code::Full,
                        {"le disque du coffre est plein", "the disk of the vault is full"},
                        {"libérez de la place, puis recommencez", "make room, then try again"});
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return fail(
                Code::Corrupt,
                {"la base du coffre est abîmée", "the database of the vault is damaged"},
                {"restaurez-la depuis la dernière sauvegarde", "restore it from the last backup"});
        default:
            return fail(Code::Io,
                        {fmt::format("la base du coffre a refusé (SQLite {})", code),
                         fmt::format("the database of the vault refused (SQLite {})", code)},
                        {"vérifiez le disque et les droits du dossier, puis redémarrez hygie",
                         "check the disk and the rights of the folder, then restart hygie"});
    }
}

struct CloseDatabase {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct FinishStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinishStatement>;

/// Makes a prepared statement ready for its next use, whatever happens in between.
class Use {
  public:
    explicit Use(const Statement& statement) : statement_(statement.get()) {}
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() { sqlite3_reset(statement_); }

    void bind(int place, std::int64_t number) { sqlite3_bind_int64(statement_, place, number); }
    void bind(int place, ByteView bytes) {
        // A null pointer would bind NULL; an empty value is a value.
        const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
        sqlite3_bind_blob64(statement_, place, data, bytes.size(), SQLITE_STATIC);
    }
    int step() { return sqlite3_step(statement_); }
    std::int64_t number(int column) { return sqlite3_column_int64(statement_, column); }
    ByteView bytes(int column) {
        const auto* data =
            static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
        return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    }

  private:
    sqlite3_stmt* statement_;
};

/// One connection with its prepared statements, used by one thread at a time.
class Connection {
  public:
    enum class For { Reading, Writing };

    static Result<std::unique_ptr<Connection>> open(const SqliteDisk& disk, const std::string& path,
                                                    For use) {
        std::unique_ptr<Connection> made(new Connection(disk));
        sqlite3* database = nullptr;
        const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
        const int code = sqlite3_open_v2(path.c_str(), &database, flags, disk.name().c_str());
        made->database_.reset(database);
        if (code != SQLITE_OK) return refused(disk, code);
        sqlite3_extended_result_codes(database, 1);
        sqlite3_busy_timeout(database, kBusyMs);
        TRY_STATUS(made->set_up(use));
        return made;
    }

    Status run(const std::string& sql) {
        const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
        return code == SQLITE_OK ? Status() : refused(disk_, code);
    }
    Result<std::int64_t> ask(const std::string& sql) {
        const Statement statement = TRY(prepare(sql));
        Use use(statement);
        const int code = use.step();
        if (code != SQLITE_ROW) return refused(disk_, code);
        return use.number(0);
    }
    Status prepare_tables(For use);

    Result<std::optional<Bytes>> get(Table table, Key key);
    Status scan(Table table, Key first, Key last, const OnRow& on_row);
    /// False when `holds` says no of the moment that the rows are read as of.
    Result<bool> scan_if(const std::function<bool()>& holds, Table table, Key first, Key last,
                         const OnRow& on_row);
    Status apply(Table table, Key key, const std::optional<Bytes>& value);
    Status write_line(std::uint64_t number, ByteView line);
    Status drop_lines(std::int64_t up_to);
    /// The last one first, until one is refused.
    Status lines(const std::function<Status(std::uint64_t number, ByteView line)>& on_line);

  private:
    struct Statements {
        Statement get, scan, put, erase;
    };

    explicit Connection(const SqliteDisk& disk) : disk_(disk) {}
    Status set_up(For use);
    Result<Statement> prepare(const std::string& sql);
    Statements& of(Table table) { return statements_[static_cast<std::size_t>(table)]; }

    const SqliteDisk& disk_;
    Database database_;
    std::array<Statements, kTables> statements_;  ///< destroyed before the database
    Statement put_line_, drop_lines_;
};

Status Connection::set_up(For use) {
    const std::size_t cache = use == For::Writing ? budget::kPagesToWrite : budget::kPagesToRead;
    TRY_STATUS(
        run(fmt::format("PRAGMA page_size = {}; PRAGMA cache_size = -{}; "
                        "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; "
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                        "PRAGMA wal_autocheckpoint = {}",
                        kPageBytes, cache >> 10, kLogPagesMax)));
    return {};
}

Result<Statement> Connection::prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(database_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT,
                                        &statement, nullptr);
    if (code != SQLITE_OK) return refused(disk_, code);
    return Statement(statement);
}

Status Connection::prepare_tables(For use) {
    for (std::size_t i = 0; i < kTables; ++i) {
        const auto table = static_cast<Table>(i);
        statements_[i].get = TRY(prepare(get_sql(table)));
        statements_[i].scan = TRY(prepare(scan_sql(table)));
        if (use == For::Reading) continue;
        statements_[i].put = TRY(prepare(put_sql(table)));
        statements_[i].erase = TRY(prepare(erase_sql(table)));
    }
    if (use == For::Reading) return {};
    put_line_ = TRY(prepare("INSERT INTO journal VALUES (?1, ?2)"));
    drop_lines_ = TRY(prepare("DELETE FROM journal WHERE number <= ?1"));
    return {};
}

Result<std::optional<Bytes>> Connection::get(Table table, Key key) {
    Use use(of(table).get);
    use.bind(1, key.major);
    if (has_pairs(table)) use.bind(2, key.minor);
    const int code = use.step();
    if (code == SQLITE_DONE) return std::nullopt;
    if (code != SQLITE_ROW) return refused(disk_, code);
    return to_bytes(use.bytes(0));
}

Status Connection::scan(Table table, Key first, Key last, const OnRow& on_row) {
    TRY(scan_if([] { return true; }, table, first, last, on_row));
    return {};
}

Result<bool> Connection::scan_if(const std::function<bool()>& holds, Table table, Key first,
                                 Key last, const OnRow& on_row) {
    Use use(of(table).scan);
    use.bind(1, first.major);
    use.bind(3, last.major);
    if (has_pairs(table)) {
        use.bind(2, first.minor);
        use.bind(4, last.minor);
    }
    int code = use.step();  // from here on the rows stand still
    if (!holds()) return false;
    for (; code == SQLITE_ROW; code = use.step())
        if (!on_row({use.number(0), use.number(1)}, use.bytes(2))) return true;
    if (code != SQLITE_DONE) return refused(disk_, code);
    return true;
}

Status Connection::apply(Table table, Key key, const std::optional<Bytes>& value) {
    Use use(value ? of(table).put : of(table).erase);
    use.bind(1, key.major);
    if (has_pairs(table)) use.bind(2, key.minor);
    if (value) use.bind(3, *value);
    const int code = use.step();
    return code == SQLITE_DONE ? Status() : refused(disk_, code);
}

Status Connection::write_line(std::uint64_t number, ByteView line) {
    Use use(put_line_);
    use.bind(1, static_cast<std::int64_t>(number));
    use.bind(2, line);
    const int code = use.step();
    return code == SQLITE_DONE ? Status() : refused(disk_, code);
}

Status Connection::drop_lines(std::int64_t up_to) {
    Use use(drop_lines_);
    use.bind(1, up_to);
    const int code = use.step();
    return code == SQLITE_DONE ? Status() : refused(disk_, code);
}

Status Connection::lines(
    const std::function<Status(std::uint64_t number, ByteView line)>& on_line) {
    const Statement statement =
        TRY(prepare("SELECT number, line FROM journal ORDER BY number DESC"));
    Use use(statement);
    int code = use.step();
    for (; code == SQLITE_ROW; code = use.step())
        TRY_STATUS(on_line(static_cast<std::uint64_t>(use.number(0)), use.bytes(1)));
    return code == SQLITE_DONE ? Status() : refused(disk_, code);
}

class SqliteStore final : public Store {
  public:
    SqliteStore(const StoreDoors& doors, std::string path, std::unique_ptr<FileLock> lock,
                std::size_t recent_rows)
        : path_(std::move(path)), lock_(std::move(lock)), disk_(doors), recent_(recent_rows) {}

    Status open() {
        writer_ = TRY(Connection::open(disk_, path_, Connection::For::Writing));
        const std::int64_t version = TRY(writer_->ask("PRAGMA user_version"));
        if (version == 0) TRY_STATUS(make_tables());
        if (version == 1) TRY_STATUS(add_journal());
        if (version == 1 || version == 2) TRY_STATUS(move_pieces());
        if (version > kSchemaVersion)
            return fail(Code::BadInput,
                        {"la base du coffre vient d'une version plus récente de hygie",
                         "the database of the vault comes from a newer version of hygie"},
                        {"installez cette version ou une plus récente",
                         "install that version or a newer one"});
        TRY_STATUS(writer_->prepare_tables(Connection::For::Writing));
        return writer_->lines(
            [this](std::uint64_t number, ByteView line) { return recent_.replay(number, line); });
    }

    Status commit(const Batch& batch) override {
        const RecentRows::Step step = recent_.step(batch);
        TRY_STATUS(transact([&] { return write(batch, step); }));
        recent_.keep(step);
        return {};
    }

    Result<std::optional<Bytes>> get(Table table, Key key) override {
        if (RecentRows::takes(table))
            if (RecentRows::Found found = recent_.find(table, key); found.is_here)
                return std::move(found.value);
        const Lease reader = TRY(lease());
        return reader->get(table, key);
    }

    Status scan(Table table, Key first, Key last, const OnRow& on_row) override {
        const Lease reader = TRY(lease());
        if (!RecentRows::takes(table)) return reader->scan(table, first, last, on_row);
        for (int i = 0; i < kScansMax; ++i)
            if (TRY(scan_both(*reader, table, first, last, on_row))) return {};
        return fail(
            Code::Busy,
            {"des écritures sans arrêt empêchent de lire", "endless writes prevent reading"},
            {"recommencez dans un instant", "try again in a moment"});
    }

    Status scrub() override {
        TRY_STATUS(transact([&] { return write_all_recent(); }));
        recent_.forget_all();
        const std::int64_t blocked = TRY(writer_->ask("PRAGMA wal_checkpoint(TRUNCATE)"));
        if (blocked == 0) return {};
        return fail(Code::Busy,
                    {"des lectures en cours retiennent le journal de la base",
                     "reads under way hold the log of the database"},
                    {"recommencez dans un instant", "try again in a moment"});
    }

  private:
    /// A reader that goes back where it came from.
    struct GiveBack {
        SqliteStore* store;
        void operator()(Connection* connection) const {
            std::unique_ptr<Connection> owned(connection);
            const std::lock_guard lock(store->mutex_);
            if (store->idle_.size() < kReadersKept) store->idle_.push_back(std::move(owned));
        }
    };
    using Lease = std::unique_ptr<Connection, GiveBack>;

    Result<Lease> lease() {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                Lease found(idle_.back().release(), GiveBack{this});
                idle_.pop_back();
                return found;
            }
        }
        auto made = TRY(Connection::open(disk_, path_, Connection::For::Reading));
        TRY_STATUS(made->prepare_tables(Connection::For::Reading));
        return Lease(made.release(), GiveBack{this});
    }

    Status make_tables() {
        std::string sql =
            fmt::format("BEGIN IMMEDIATE; PRAGMA application_id = {}; ", kApplicationId);
        for (std::size_t i = 0; i < kTables; ++i) sql += create_sql(static_cast<Table>(i)) + "; ";
        sql += kCreateJournal;
        return writer_->run(sql + fmt::format("PRAGMA user_version = {}; COMMIT", kSchemaVersion));
    }

    Status add_journal() {
        return writer_->run(
            fmt::format("BEGIN IMMEDIATE; {}PRAGMA user_version = 2; COMMIT", kCreateJournal));
    }

    Status move_pieces() {
        return writer_->run(fmt::format(
            "BEGIN IMMEDIATE; ALTER TABLE pieces RENAME TO earlier; {}; "
            "INSERT INTO pieces SELECT major, minor, value FROM earlier ORDER BY major, minor; "
            "DROP TABLE earlier; PRAGMA user_version = {}; COMMIT; "
            "PRAGMA wal_checkpoint(TRUNCATE)",
            create_sql(Table::Pieces), kSchemaVersion));
    }

    /// All that is written or nothing.
    Status transact(const std::function<Status()>& write) {
        if (broken_) return std::unexpected(*broken_);
        Status done = writer_->run("BEGIN IMMEDIATE");
        if (done) done = write();
        if (done) done = writer_->run("COMMIT");
        if (done) return done;
        (void)writer_->run("ROLLBACK");
        if (done.error().code != Code::Full) broken_ = done.error();
        return done;
    }

    Status write(const Batch& batch, const RecentRows::Step& step) {
        for (const auto& [table, key, value] : batch.rows)
            if (!RecentRows::takes(table)) TRY_STATUS(writer_->apply(table, key, value));
        for (const auto& [at, value] : step.leaving)
            TRY_STATUS(writer_->apply(at.table, at.key, value));
        if (!step.line.empty()) TRY_STATUS(writer_->write_line(step.number, step.line));
        return step.superfluous > 0
                   ? writer_->drop_lines(static_cast<std::int64_t>(step.superfluous))
                   : Status();
    }

    Status write_all_recent() {
        for (const auto& [at, value] : recent_.rows())
            TRY_STATUS(writer_->apply(at.table, at.key, value));
        return writer_->drop_lines(std::numeric_limits<std::int64_t>::max());
    }

    /// What is recent stands before what is in the table. False when a commit came in between.
    Result<bool> scan_both(Connection& reader, Table table, Key first, Key last,
                           const OnRow& on_row) {
        const RecentRows::Range recent = recent_.range(table, first, last);
        auto next = recent.rows.begin();
        bool goes_on = true;
        const auto give_recent = [&](const auto& is_due) {
            for (; goes_on && next != recent.rows.end() && is_due(next->first); ++next)
                if (next->second) goes_on = on_row(next->first, *next->second);
        };
        const bool held =
            TRY(reader.scan_if([&] { return recent_.as_of() == recent.as_of; }, table, first, last,
                               [&](Key key, ByteView value) {
                                   give_recent([&](Key each) { return each < key; });
                                   const bool is_newer =
                                       next != recent.rows.end() && next->first == key;
                                   if (goes_on && !is_newer) goes_on = on_row(key, value);
                                   return goes_on;
                               }));
        if (held) give_recent([](Key) { return true; });
        return held;
    }

    const std::string path_;
    const std::unique_ptr<FileLock> lock_;
    SqliteDisk disk_;
    std::optional<Error> broken_;
    std::unique_ptr<Connection> writer_;
    RecentRows recent_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const StoreDoors& doors, const std::string& dir,
                                           std::size_t recent_rows) {
    TRY_STATUS(doors.disk.make_dirs(dir));
    auto lock = TRY(doors.disk.lock(join(dir, "lock")));
    auto store = std::make_unique<SqliteStore>(doors, join(dir, "vault.sqlite"), std::move(lock),
                                               recent_rows);
    TRY_STATUS(store->open());
    return std::unique_ptr<Store>(std::move(store));
}

}  // namespace hygie::vault
