internal import Synchronization

/// Something that happens once.
final class OnceFlag: Sendable {
    private let isSet = Atomic<Bool>(false)

    /// Whether this was the first time.
    @discardableResult
    func set() -> Bool { !isSet.exchange(true, ordering: .acquiringAndReleasing) }
}
