package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"rentbook/domain"
)

// person is a tenant.
type person struct {
	ref, name string
	born      domain.Date
	email     string
	phone     string
	liableTo  domain.Date
}

// draw is who signed the lease.
func (l lease) draw(chance *rand.Rand) []person {
	first, last := strings.Fields(firstNames), strings.Fields(lastNames)
	var people []person
	for i := range max(l.people, 1) {
		ref := fmt.Sprintf("P%d%c", l.number, 'a'+i)
		people = append(people, person{
			ref:      ref,
			name:     first[chance.IntN(len(first))] + " " + last[chance.IntN(len(last))],
			born:     domain.NewDate(1946+chance.IntN(56), time.January, 1+chance.IntN(365)),
			email:    strings.ToLower(ref) + "@tenant.example",
			phone:    fmt.Sprintf("07700 900%03d", (l.number*3+i)%1000),
			liableTo: l.to,
		})
	}
	if l.story == Joint {
		people[len(people)-1].liableTo = on(2025, 9, 14)
	}
	return people
}

const firstNames = `Adebayo Agnieszka Aisha Alasdair Amara Amir Anwen Beatriz Bronwen Callum Chidi Chloé Dafydd Deepa
	Dmitri Eilidh Elif Emeka Fatima Femi Fiadh Giulia Grace Hamza Hana Hiroshi Ibrahim Ines Ioan Isla Jamal Joyce
	Kasia Kofi Lakshmi Leila Linh Luca Malik Maeve Mariam Mehmet Mei Mohammed Moira Nadia Ngozi Niamh Noor Olena
	Omar Oluwaseun Patience Pádraig Priya Rashid Rhys Roisin Rosa Samuel Sanjay Seren Shanice Siobhán Sofia Tariq
	Temperance Thandiwe Tomasz Uzma Vikram Winston Xin Yasmin Yusuf Zainab Zoë`

const lastNames = `Abdi Achterberg Adeyemi Ahmed Akhtar Bakshi Barzani Begum Boateng Bowen Brânză Campbell Chaudhry
	Chen Costa Cruickshank Dąbrowska Davies Diallo Edwards Eze Farah Fernandes Ferrari Gallagher Georgiou Goldberg
	Gunawardena Haddad Hussain Iyer Jankowski Jones Kaur Kelly Khan Kowalczyk Lewandowski Llewellyn Macdonald
	Mbeki Mensah Mitchell Morgan Müller Murphy Nakamura Ncube Nguyen Nwosu O'Brien O'Neill Okafor Osei Patel Pereira
	Popescu Qureshi Rahman Reid Roberts Sandhu Santos Sesay Shevchenko Silva Singh Smith-Jones Sutherland Taylor
	Tembo Thompson Tran van-Damme Wallace Wang Williams Wójcik Yeboah Yilmaz Zhang`
