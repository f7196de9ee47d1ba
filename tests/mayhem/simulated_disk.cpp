#include "simulated_disk.hpp"

#include <rondo/sim/world.hpp>

#include <cerrno>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include <fcntl.h>

namespace mayhem::test {

namespace {

rondo::sim::simulated_files files() { return rondo::sim::world().files(); }

std::span<std::byte> room(void* to, std::size_t n) { return {static_cast<std::byte*>(to), n}; }

// SQLite's virtual file system (sqlite.org/vfs.html), which does what its own for Unix does: it syncs the directory with the
// first sync of a new journal or log, and reads and writes until all is done.

struct vfs_file : ::sqlite3_file {
    simulated_disk* disk;
    int fd;
    std::string path;
    bool new_journal;
    bool temporary;
};

vfs_file& of(::sqlite3_file* f) { return *static_cast<vfs_file*>(f); }
simulated_disk& of(::sqlite3_vfs* v) { return *static_cast<simulated_disk*>(v->pAppData); }

int close(::sqlite3_file* f) {
    vfs_file& file = of(f);
    file.disk->close(file.fd);
    if (file.temporary) file.disk->remove(file.path);
    file.~vfs_file();
    return SQLITE_OK;
}

int read(::sqlite3_file* f, void* to, int n, sqlite3_int64 offset) {
    auto* const at = static_cast<char*>(to);
    int have = 0;
    while (have < n) {
        const std::int64_t got = of(f).disk->read(of(f).fd, at + have, static_cast<std::size_t>(n - have),
                                                  static_cast<std::uint64_t>(offset + have));
        if (got < 0) return SQLITE_IOERR_READ;
        if (got == 0) {
            std::memset(at + have, 0, static_cast<std::size_t>(n - have));
            return SQLITE_IOERR_SHORT_READ;
        }
        have += static_cast<int>(got);
    }
    return SQLITE_OK;
}

int write(::sqlite3_file* f, const void* from, int n, sqlite3_int64 offset) {
    std::string_view left(static_cast<const char*>(from), static_cast<std::size_t>(n));
    while (!left.empty()) {
        const std::int64_t done = of(f).disk->write_at(of(f).fd, left, static_cast<std::uint64_t>(offset));
        if (done == -ENOSPC) return SQLITE_FULL;
        if (done < 0) return SQLITE_IOERR_WRITE;
        left.remove_prefix(static_cast<std::size_t>(done));
        offset += done;
    }
    return SQLITE_OK;
}

int truncate(::sqlite3_file* f, sqlite3_int64 size) {
    return of(f).disk->truncate(of(f).fd, static_cast<std::uint64_t>(size)) < 0 ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

int sync(::sqlite3_file* f, int) {
    vfs_file& file = of(f);
    if (file.disk->sync(file.fd) < 0) return SQLITE_IOERR_FSYNC;
    if (file.new_journal && file.disk->sync_directory(std::filesystem::path(file.path).parent_path()) < 0)
        return SQLITE_IOERR_DIR_FSYNC;
    file.new_journal = false;
    return SQLITE_OK;
}

int file_size(::sqlite3_file* f, sqlite3_int64* size) {
    *size = of(f).disk->size(of(f).fd);
    return *size < 0 ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

int take_lock(::sqlite3_file*, int) { return SQLITE_OK; } // one connection has the file for itself
int look_for_lock(::sqlite3_file*, int* found) {
    *found = 0;
    return SQLITE_OK;
}
int control(::sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(::sqlite3_file*) { return 4096; }
int characteristics(::sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_shared(::sqlite3_file* f, int region, int size, int extend, volatile void** to) {
    auto& regions = of(f).disk->shared_memory(of(f).path);
    while (extend && regions.size() <= static_cast<std::size_t>(region))
        regions.push_back(std::make_unique<unsigned char[]>(static_cast<std::size_t>(size)));
    const bool there = static_cast<std::size_t>(region) < regions.size();
    *to = there ? regions[static_cast<std::size_t>(region)].get() : nullptr;
    return SQLITE_OK;
}
int lock_shared(::sqlite3_file*, int, int, int) { return SQLITE_OK; }
void order_shared(::sqlite3_file*) {}
int unmap_shared(::sqlite3_file* f, int) {
    of(f).disk->shared_memory(of(f).path).clear();
    return SQLITE_OK;
}

constexpr ::sqlite3_io_methods methods{.iVersion = 2,
                                       .xClose = close,
                                       .xRead = read,
                                       .xWrite = write,
                                       .xTruncate = truncate,
                                       .xSync = sync,
                                       .xFileSize = file_size,
                                       .xLock = take_lock,
                                       .xUnlock = take_lock,
                                       .xCheckReservedLock = look_for_lock,
                                       .xFileControl = control,
                                       .xSectorSize = sector_size,
                                       .xDeviceCharacteristics = characteristics,
                                       .xShmMap = map_shared,
                                       .xShmLock = lock_shared,
                                       .xShmBarrier = order_shared,
                                       .xShmUnmap = unmap_shared,
                                       .xFetch = nullptr,
                                       .xUnfetch = nullptr};

int open(::sqlite3_vfs* v, const char* name, ::sqlite3_file* f, int flags, int* out_flags) {
    f->pMethods = nullptr;
    const std::string path = name ? name : "/tmp/of-sqlite";
    const bool creates = flags & SQLITE_OPEN_CREATE;
    const bool is_new = creates && !of(v).exists(path);
    int how = flags & SQLITE_OPEN_READWRITE ? O_RDWR : O_RDONLY;
    if (creates) how |= O_CREAT;
    const int fd = of(v).open(path, how);
    if (fd < 0) return SQLITE_CANTOPEN;
    constexpr int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    auto* const file = new (f) vfs_file;
    file->pMethods = &methods;
    file->disk = &of(v);
    file->fd = fd;
    file->path = path;
    file->new_journal = is_new && (flags & journals);
    file->temporary = flags & SQLITE_OPEN_DELETEONCLOSE;
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
}

int remove(::sqlite3_vfs* v, const char* name, int sync_it) {
    const int removed = of(v).remove(name);
    if (removed == -ENOENT) return SQLITE_IOERR_DELETE_NOENT;
    if (removed < 0) return SQLITE_IOERR_DELETE;
    if (sync_it && of(v).sync_directory(std::filesystem::path(name).parent_path()) < 0) return SQLITE_IOERR_DIR_FSYNC;
    return SQLITE_OK;
}

int look(::sqlite3_vfs* v, const char* name, int, int* found) {
    *found = of(v).exists(name);
    return SQLITE_OK;
}

int full_name(::sqlite3_vfs*, const char* name, int room, char* to) {
    sqlite3_snprintf(room, to, "%s", name);
    return SQLITE_OK;
}

int randomness(::sqlite3_vfs*, int n, char* to) {
    std::memset(to, 7, static_cast<std::size_t>(n));
    return n;
}
int take_time(::sqlite3_vfs*, int microseconds) { return microseconds; }
int day(::sqlite3_vfs*, double* now) {
    *now = 2461000.5;
    return SQLITE_OK;
}
int last_error(::sqlite3_vfs*, int, char*) { return 0; }

} // namespace

simulated_disk::simulated_disk(std::string name) : name_(std::move(name)) {
    vfs_.iVersion = 1;
    vfs_.szOsFile = sizeof(vfs_file);
    vfs_.mxPathname = 512;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.xOpen = test::open;
    vfs_.xDelete = test::remove;
    vfs_.xAccess = look;
    vfs_.xFullPathname = full_name;
    vfs_.xRandomness = randomness;
    vfs_.xSleep = take_time;
    vfs_.xCurrentTime = day;
    vfs_.xGetLastError = last_error;
    sqlite3_vfs_register(&vfs_, 0);
}

simulated_disk::~simulated_disk() { sqlite3_vfs_unregister(&vfs_); }

void simulated_disk::die() {
    if (!dead_) rondo::sim::world().lose_power();
    dead_ = true;
}

bool simulated_disk::changes() {
    if (left_ > 0 && --left_ == 0) die();
    return dead_;
}

int simulated_disk::open(const std::filesystem::path& path, int flags) {
    return dead_ ? -EIO : files().open(path.string(), flags, 0644);
}
void simulated_disk::close(int fd) noexcept { files().close(fd); }
std::int64_t simulated_disk::size(int fd) { return files().size(fd); }
std::int64_t simulated_disk::read(int fd, char* to, std::size_t n, std::uint64_t offset) {
    return files().read_at(fd, room(to, n), offset);
}
std::int64_t simulated_disk::write(int fd, std::string_view data) {
    const std::int64_t written = files().write(fd, std::as_bytes(std::span(data)));
    return changes() ? -EIO : written;
}
std::int64_t simulated_disk::write_at(int fd, std::string_view data, std::uint64_t offset) {
    const std::int64_t written = files().write_at(fd, std::as_bytes(std::span(data)), offset);
    return changes() ? -EIO : written;
}
int simulated_disk::truncate(int fd, std::uint64_t size) {
    const int done = files().truncate(fd, size);
    return changes() ? -EIO : done;
}
int simulated_disk::sync(int fd) { return changes() ? -EIO : files().sync(fd); }
int simulated_disk::try_lock(int) { return 1; } // a lock dies with its process
bool simulated_disk::exists(const std::filesystem::path& path) { return files().exists(path.string()); }
int simulated_disk::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
    const int done = dead_ ? -EIO : files().rename(from.string(), to.string());
    return changes() ? -EIO : done;
}
int simulated_disk::remove(const std::string& path) { return dead_ ? -EIO : files().remove(path); }
int simulated_disk::make_directory(const std::filesystem::path&) { return dead_ ? -EIO : 0; }
int simulated_disk::sync_directory(const std::filesystem::path& path) {
    return changes() ? -EIO : files().sync_directory(path.string());
}

} // namespace mayhem::test
