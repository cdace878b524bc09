/// Steps in the order of their starts; removing one costs nothing to speak of.
struct ActiveSteps {
    /// Steps, or -1 for those that were removed.
    private var entries: [Int] = []
    private var places: [Int: Int] = [:]
    private var first = 0

    var count: Int { places.count }

    mutating func append(_ step: Int) {
        places[step] = entries.count
        entries.append(step)
    }

    mutating func remove(_ step: Int) {
        guard let place = places.removeValue(forKey: step) else { return }
        entries[place] = -1
        while first < entries.count, entries[first] < 0 { first += 1 }
        // At most as many holes as steps, so that the first ones are found at once.
        if entries.count > 2 * places.count + 16 {
            entries = entries.filter { $0 >= 0 }
            first = 0
            for (index, step) in entries.enumerated() { places[step] = index }
        }
    }

    /// The steps that started first, at most `limit`.
    func prefix(_ limit: Int) -> [Int] {
        var found: [Int] = []
        for entry in entries[first...] where entry >= 0 {
            if found.count == limit { break }
            found.append(entry)
        }
        return found
    }
}
