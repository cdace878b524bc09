internal import CFiles
internal import CSandbox
internal import Glibc

/// An open folder, beneath which paths are resolved without following symbolic links.
package final class Folder: Sendable {
    /// The path it was opened by, for messages.
    package let path: String
    let descriptor: Int32

    /// Opens a folder by a path that may lead over links. Throws when there is none.
    package init(_ path: String) throws(CacheError) {
        let opened = danube_open_root(path)
        if opened < 0 { throw .of(opened, "open the folder", path) }
        descriptor = opened
        self.path = path
    }

    deinit { close(descriptor) }

    /// Where a path beneath the folder is, for messages.
    func place(_ below: TreePath) -> String { below.isRoot ? path : "\(path)/\(below)" }

    /// What is at a path; `nil` when there is nothing, also when a link is on the way.
    package func stamp(_ below: TreePath) throws(CacheError) -> FileStamp? {
        var stamp = danube_stamp()
        let error = below.withCString { danube_stamp_beneath(descriptor, $0, &stamp) }
        if error == 0 { return FileStamp(stamp) }
        if Self.isAbsence(error) { return nil }
        throw .of(error, "look at", place(below))
    }

    /// Opens a path; `nil` when there is nothing, also when a link is on the way or at its end.
    func open(_ below: TreePath, _ flags: Int32) throws(CacheError) -> Descriptor? {
        let opened = below.withCString { danube_open_at(descriptor, $0, flags, 0) }
        if opened >= 0 { return Descriptor(opened) }
        if Self.isAbsence(opened) { return nil }
        throw .of(opened, "open", place(below))
    }

    /// The target of a symbolic link, as bytes; `nil` when it is none.
    func target(of below: TreePath) throws(CacheError) -> [UInt8]? {
        guard let link = try open(below, Int32(DANUBE_O_PATH) | O_NOFOLLOW) else { return nil }
        defer { link.close() }
        return Self.target(of: link.number, name: "")
    }

    /// The target of a link in an open folder, or of a link that is itself open if `name` is empty.
    static func target(of descriptor: Int32, name: UnsafePointer<CChar>) -> [UInt8]? {
        let capacity = Int(PATH_MAX)
        let target = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            buffer.withMemoryRebound(to: CChar.self) { text in
                guard let start = text.baseAddress else { return }
                count = max(0, readlinkat(descriptor, name, start, capacity))
            }
        }
        return target.isEmpty ? nil : target
    }

    static func isAbsence(_ error: Int32) -> Bool {
        switch -error {
        case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG: true
        default: false
        }
    }
}

/// An open file, closed by whoever opened it.
struct Descriptor {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    func close() { _ = Glibc.close(number) }

    /// What the file is now.
    func stamp(_ path: @autoclosure () -> String) throws(CacheError) -> FileStamp {
        var stamp = danube_stamp()
        let error = danube_stamp(number, &stamp)
        guard error == 0, let found = FileStamp(stamp) else {
            throw .of(error, "look at", path())
        }
        return found
    }
}
